// Command submit submits a task, shows its progress, and prints its result:
//
//	go run ./examples/submit [ADDRESS]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

func main() {
	address := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, address); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address string) error {
	client, err := taskgate.NewClient(address, taskgate.Options{})
	if err != nil {
		return err
	}
	defer client.Close()

	arguments, err := taskgate.Arguments([]any{2}, nil)
	if err != nil {
		return err
	}
	submitted, err := client.Submit(ctx, &taskgatev1.SubmitRequest{
		TaskType:      "demo.countdown",
		ArgumentsJson: arguments,
	})
	if err != nil {
		return err
	}

	var task *taskgatev1.Task
	for task, err = range client.Updates(ctx, submitted.GetTask().GetId()) {
		if err != nil {
			return err
		}
		fmt.Println(task.GetState(), task.GetProgress().GetCurrent())
	}
	result, err := taskgate.ResultJSON(task)
	if err != nil {
		return err
	}
	fmt.Printf("result: %s\n", result)
	return nil
}
