// Command restarts calls a server that is restarted meanwhile: tests/clients/restarts.py says how.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

const (
	callers = 4
	pause   = 10 * time.Millisecond
	aborted = taskgatev1.TaskState_TASK_STATE_ABORTED
)

func main() {
	client, err := taskgate.NewClient(os.Args[1], taskgate.Options{Timeout: time.Minute}) // a busy machine starts a server slowly
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	load := load{client: client, stop: make(chan struct{}), Calls: map[string]int{}, Errors: []string{}}
	load.run()
	json.NewEncoder(os.Stdout).Encode(&load)
}

// load is what runs against the server, and what became of it.
type load struct {
	client  *taskgate.Client
	stop    chan struct{}
	started sync.WaitGroup
	ended   sync.WaitGroup

	mutex  sync.Mutex
	Calls  map[string]int `json:"calls"`
	Errors []string       `json:"errors"`
}

func (l *load) run() {
	ctx := context.Background()
	var followed []string
	for number := range callers {
		id, err := l.submit(ctx, fmt.Sprint("followed-", number))
		if err != nil {
			log.Fatal(err)
		}
		followed = append(followed, id)
		l.again("submit", func(count int) error {
			return l.submitTwice(ctx, fmt.Sprintf("%d-%d", number, count))
		})
		l.again("get", func(int) error { return l.get(ctx, id) })
		l.again("list", func(int) error {
			_, err := l.client.List(ctx, &taskgatev1.ListRequest{PageSize: 5})
			return err
		})
		l.once("wait", func() error { return l.wait(ctx, id) })
		l.once("watch", func() error { return l.watch(ctx, id) })
	}
	l.started.Wait()
	fmt.Println("READY")
	bufio.NewReader(os.Stdin).ReadString('\n')
	close(l.stop)
	for _, id := range followed {
		if _, err := l.client.Abort(ctx, &taskgatev1.AbortRequest{Id: id}); err != nil {
			l.note("abort", err)
		}
	}
	l.ended.Wait()
}

// again makes a call, until it is time to stop and once more.
func (l *load) again(name string, call func(count int) error) {
	l.started.Add(1)
	l.ended.Add(1)
	go func() {
		defer l.ended.Done()
		for count, last := 0, false; ; count++ {
			l.note(name, call(count))
			if count == 0 {
				l.started.Done()
			}
			if last {
				return
			}
			select {
			case <-l.stop:
				last = true
			case <-time.After(pause):
			}
		}
	}()
}

// once makes a call that lasts until its task is aborted at the end.
func (l *load) once(name string, call func() error) {
	l.ended.Add(1)
	go func() {
		defer l.ended.Done()
		l.note(name, call())
	}()
}

func (l *load) note(name string, err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.Calls[name]++
	if err != nil {
		l.Errors = append(l.Errors, name+": "+err.Error())
	}
}

func (l *load) submit(ctx context.Context, request string) (string, error) {
	response, err := l.client.Submit(ctx, &taskgatev1.SubmitRequest{
		TaskType:  "demo.add",
		Delay:     durationpb.New(time.Hour),
		RequestId: fmt.Sprintf("go-%d-%s", os.Getpid(), request),
	})
	return response.GetTask().GetId(), err
}

func (l *load) submitTwice(ctx context.Context, request string) error {
	first, err := l.submit(ctx, request)
	if err != nil {
		return err
	}
	second, err := l.submit(ctx, request)
	if err == nil && first != second {
		return fmt.Errorf("one request id made two tasks, %s and %s", first, second)
	}
	return err
}

func (l *load) get(ctx context.Context, id string) error {
	_, err := l.client.Get(ctx, &taskgatev1.GetRequest{Id: id, Wait: durationpb.New(time.Second)})
	return err
}

func (l *load) wait(ctx context.Context, id string) error {
	task, err := l.client.Wait(ctx, id)
	if err == nil && task.GetState() != aborted {
		return fmt.Errorf("ended as %s", task.GetState())
	}
	return err
}

func (l *load) watch(ctx context.Context, id string) error {
	var last *taskgatev1.Task
	for task, err := range l.client.Updates(ctx, id) {
		if err != nil {
			return err
		}
		if task.GetVersion() <= last.GetVersion() {
			return fmt.Errorf("version %d after %d", task.GetVersion(), last.GetVersion())
		}
		last = task
	}
	if last.GetState() != aborted {
		return fmt.Errorf("ended as %s", last.GetState())
	}
	return nil
}
