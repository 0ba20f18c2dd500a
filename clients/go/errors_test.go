package taskgate_test

import (
	"errors"
	"reflect"
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
	want := &taskgate.Error{
		Code:       codes.InvalidArgument,
		Message:    "wrong",
		Reason:     "ARGUMENTS_INVALID",
		Metadata:   map[string]string{"task_type": "demo.add"},
		Violations: []taskgate.Violation{{"kwargs.x", `"abc" is not a number`}},
		RetryDelay: 2 * time.Second,
	}
	if got := taskgate.AsError(err); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if text := want.Error(); text != "InvalidArgument (ARGUMENTS_INVALID): wrong" {
		t.Error(text)
	}
}

func TestWhatIsNotAGRPCErrorIsNone(t *testing.T) {
	for _, err := range []error{nil, errors.New("other")} {
		if got := taskgate.AsError(err); got != nil {
			t.Errorf("%v became %v", err, got)
		}
	}
}
