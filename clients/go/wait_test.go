package taskgate_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

func TestWaitAsksAgainUntilTheTaskIsFinal(t *testing.T) {
	calls := 0
	s := &server{get: func(request *taskgatev1.GetRequest) (*taskgatev1.Task, error) {
		calls++
		switch {
		case calls == 1:
			return task(running, 1), nil
		case calls < 4:
			return nil, unavailable
		}
		return task(succeeded, 2), nil
	}}
	got, err := start(t, s, taskgate.Options{}).Wait(t.Context(), "1")
	if err != nil || got.GetState() != succeeded {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	s := &server{get: func(*taskgatev1.GetRequest) (*taskgatev1.Task, error) { return nil, unavailable }}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := start(t, s, taskgate.Options{}).Wait(ctx, "1")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestWaitGivesUpOnWhatCannotWork(t *testing.T) {
	refusal := status.Error(codes.NotFound, "no task has the id")
	s := &server{get: func(*taskgatev1.GetRequest) (*taskgatev1.Task, error) { return nil, refusal }}
	_, err := start(t, s, taskgate.Options{}).Wait(t.Context(), "1")
	if status.Code(err) != codes.NotFound {
		t.Errorf("%v", err)
	}
}

type stream = grpc.ServerStreamingServer[taskgatev1.WatchResponse]

func TestUpdatesResumeWhereTheConnectionBroke(t *testing.T) {
	var seen []int64
	s := &server{watch: func(request *taskgatev1.WatchRequest, to stream) error {
		version := request.GetTasks()[0].GetSeenVersion()
		seen = append(seen, version)
		if version == 0 {
			to.Send(&taskgatev1.WatchResponse{Task: task(running, 3)})
			return unavailable
		}
		return to.Send(&taskgatev1.WatchResponse{Task: task(succeeded, 4)})
	}}
	var versions []int64
	for got, err := range start(t, s, taskgate.Options{}).Updates(t.Context(), "1") {
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, got.GetVersion())
	}
	if len(versions) != 2 || versions[0] != 3 || versions[1] != 4 || seen[len(seen)-1] != 3 {
		t.Errorf("versions %v, seen %v", versions, seen)
	}
}

func TestUpdatesOfIDsInUpperCaseResumeToo(t *testing.T) {
	const given, answered = "01890000-0000-7000-8000-00000000000A", "01890000-0000-7000-8000-00000000000a"
	var asked [][]*taskgatev1.WatchedTask
	s := &server{watch: func(request *taskgatev1.WatchRequest, to stream) error {
		asked = append(asked, request.GetTasks())
		to.Send(&taskgatev1.WatchResponse{Task: &taskgatev1.Task{Id: answered, State: running, Version: 3}})
		if len(asked) == 1 {
			to.Send(&taskgatev1.WatchResponse{Task: &taskgatev1.Task{Id: "2", State: succeeded, Version: 1}})
			return status.Error(codes.Canceled, "going")
		}
		return to.Send(&taskgatev1.WatchResponse{Task: &taskgatev1.Task{Id: answered, State: succeeded, Version: 4}})
	}}
	var versions []int64
	for got, err := range start(t, s, taskgate.Options{}).Updates(t.Context(), given, "2") {
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, got.GetVersion())
	}
	if !slices.Equal(versions, []int64{3, 1, 4}) {
		t.Errorf("versions %v", versions)
	}
	if again := asked[1]; len(again) != 1 || again[0].GetId() != given || again[0].GetSeenVersion() != 3 {
		t.Errorf("asked again for %v", again)
	}
}

func TestUpdatesYieldAnErrorLast(t *testing.T) {
	s := &server{watch: func(*taskgatev1.WatchRequest, stream) error {
		return status.Error(codes.NotFound, "no task has the id")
	}}
	var errs []error
	for _, err := range start(t, s, taskgate.Options{}).Updates(t.Context(), "1") {
		errs = append(errs, err)
	}
	if len(errs) != 1 || status.Code(errs[0]) != codes.NotFound {
		t.Errorf("%v", errs)
	}
}

func TestAReaderMayLeaveUpdates(t *testing.T) {
	left := make(chan struct{})
	s := &server{watch: func(_ *taskgatev1.WatchRequest, to stream) error {
		to.Send(&taskgatev1.WatchResponse{Task: task(running, 1)})
		<-to.Context().Done()
		close(left)
		return nil
	}}
	for range start(t, s, taskgate.Options{}).Updates(t.Context(), "1") {
		break
	}
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the stream stayed open")
	}
}
