// Command submit submits tasks to a server on this machine, follows them, and reads what they
// returned. The README explains it piece by piece:
//
//	go run ./examples/submit [ADDRESS]
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

type addition struct {
	X int64 `json:"x"`
	Y int64 `json:"y"`
}

func main() {
	address := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := connect(address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for _, show := range []func(context.Context, *taskgate.Client) error{add, refused, countdown} {
		if err := show(ctx, client); err != nil {
			log.Fatal(err)
		}
	}
}

func connect(address string) (*taskgate.Client, error) {
	if token := os.Getenv("TASKGATE_TOKEN"); token != "" {
		trust, err := taskgate.TrustCA("/etc/taskgate/ca.pem")
		if err != nil {
			return nil, err
		}
		return taskgate.NewClient(address, taskgate.Options{TLS: trust, Token: token})
	}
	return taskgate.NewClient(address, taskgate.Options{})
}

func add(ctx context.Context, client *taskgate.Client) error {
	arguments, err := taskgate.Arguments(nil, addition{X: 1, Y: 2})
	if err != nil {
		return err
	}
	submitted, err := client.Submit(ctx, &taskgatev1.SubmitRequest{
		TaskType:      "demo.add",
		ArgumentsJson: arguments,
	})
	if err != nil {
		return err
	}
	task, err := client.Wait(ctx, submitted.GetTask().GetId())
	if err != nil {
		return err
	}
	sum, err := taskgate.Result[int64](task)
	if err != nil {
		return err
	}
	fmt.Println("sum:", sum)
	return nil
}

func refused(ctx context.Context, client *taskgate.Client) error {
	_, err := client.Submit(ctx, &taskgatev1.SubmitRequest{TaskType: "demo.ad"})
	var failed *taskgate.Error
	if errors.As(err, &failed) && failed.Reason == taskgate.ReasonTaskTypeUnknown {
		fmt.Println(failed.Code, failed.Violations[0].Field, failed.Violations[0].Description)
		return nil
	}
	return err
}

func countdown(ctx context.Context, client *taskgate.Client) error {
	arguments, err := taskgate.Arguments([]any{2}, nil)
	if err != nil {
		return err
	}
	submitted, err := client.Submit(ctx, &taskgatev1.SubmitRequest{
		TaskType:      "demo.countdown",
		ArgumentsJson: arguments,
		RequestId:     fmt.Sprint("countdown-", time.Now().UnixNano()),
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
	seconds, err := taskgate.Result[float64](task)
	var unsuccessful *taskgate.UnsuccessfulError
	if errors.As(err, &unsuccessful) {
		fmt.Println("no result:", unsuccessful.Task.GetError().GetTraceback())
	}
	if err != nil {
		return err
	}
	fmt.Println("result:", seconds)
	return nil
}
