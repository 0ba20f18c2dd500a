package taskgate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

func TestAnErrorCarriesItsDetails(t *testing.T) {
	refusal, err := status.New(codes.InvalidArgument, "wrong").WithDetails(
		&errdetails.ErrorInfo{
			Reason: "ARGUMENTS_INVALID", Domain: "taskgate",
			Metadata: map[string]string{"task_type": "demo.add"},
		},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "kwargs.x", Description: `"abc" is not a number`},
		}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(2 * time.Second)},
	)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{submit: func(*taskgatev1.SubmitRequest) error { return refusal.Err() }}
	_, err = start(t, s, taskgate.Options{}).Submit(t.Context(), &taskgatev1.SubmitRequest{})
	var failed *taskgate.Error
	if !errors.As(fmt.Errorf("submitting: %w", err), &failed) {
		t.Fatalf("%T is no taskgate.Error", err)
	}
	if failed.Code != codes.InvalidArgument || failed.Message != "wrong" ||
		failed.Reason != taskgate.ReasonArgumentsInvalid ||
		failed.Metadata["task_type"] != "demo.add" || failed.RetryDelay != 2*time.Second {
		t.Errorf("got %+v", failed)
	}
	if want := []taskgate.Violation{{"kwargs.x", `"abc" is not a number`}}; !slices.Equal(failed.Violations, want) {
		t.Errorf("violations %v", failed.Violations)
	}
	if text := failed.Error(); text != "InvalidArgument (ARGUMENTS_INVALID): wrong" {
		t.Error(text)
	}
	if status.Code(err) != codes.InvalidArgument || len(status.Convert(err).Details()) != 3 {
		t.Errorf("package status reads %v", status.Convert(err))
	}
}

func TestAnItemOfABatchHasItsError(t *testing.T) {
	refusal := status.New(codes.ResourceExhausted, "full").Proto()
	if got := taskgate.ErrorFromStatus(refusal); got.Code != codes.ResourceExhausted {
		t.Errorf("got %v", got)
	}
	if got := taskgate.ErrorFromStatus(nil); got != nil {
		t.Errorf("no status became %v", got)
	}
}

func TestTheErrorOfAStreamIsTypedToo(t *testing.T) {
	s := &server{watch: func(*taskgatev1.WatchRequest, stream) error {
		return status.Error(codes.NotFound, "no task has the id")
	}}
	watching, err := start(t, s, taskgate.Options{}).Watch(t.Context(), &taskgatev1.WatchRequest{})
	if err == nil {
		_, err = watching.Recv()
	}
	var failed *taskgate.Error
	if !errors.As(err, &failed) || failed.Code != codes.NotFound {
		t.Errorf("got %v", err)
	}
}

func TestACallThatIsOutOfTimeIsTheContextsErrorToo(t *testing.T) {
	s := &server{get: func(*taskgatev1.GetRequest) (*taskgatev1.Task, error) {
		return nil, status.Error(codes.DeadlineExceeded, "too late")
	}}
	_, err := start(t, s, taskgate.Options{}).Get(t.Context(), &taskgatev1.GetRequest{})
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
