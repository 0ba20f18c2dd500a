package taskgate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// Error is why a call failed. Every error of a call is one:
//
//	var failed *taskgate.Error
//	if errors.As(err, &failed) && failed.Reason == taskgate.ReasonTaskNotFound { … }
//
// gRPC's [status.Code] and [status.Convert] read it too. It is [context.DeadlineExceeded] or
// [context.Canceled] for [errors.Is] if its code says so.
type Error struct {
	// Code is gRPC's status code.
	Code codes.Code
	// Message is for people.
	Message string
	// Reason is for programs: one of the Reason… constants, or one of a newer server. It is empty
	// if the error is not the server's but the connection's.
	Reason string
	// Metadata tells more about the reason, such as the id that was not found.
	Metadata map[string]string
	// Violations are the fields that were wrong.
	Violations []Violation
	// RetryDelay is how long to wait before the call is worth repeating; 0 if it never is, or if
	// the server does not know.
	RetryDelay time.Duration

	status *status.Status
}

// Violation is a wrong field of a request.
type Violation struct {
	// Field is its path, for example "kwargs.seconds".
	Field string
	// Description is what is wrong with it.
	Description string
}

// Error returns the code, the reason and the message.
func (e *Error) Error() string {
	text := e.Code.String()
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	return text + ": " + e.Message
}

// GRPCStatus returns the status with all its details; it is how package status reads the error.
func (e *Error) GRPCStatus() *status.Status {
	return e.status
}

// Is makes an error whose code says so equal to the context's.
func (e *Error) Is(target error) bool {
	return e.Code == codes.DeadlineExceeded && target == context.DeadlineExceeded ||
		e.Code == codes.Canceled && target == context.Canceled
}

// ErrorFromStatus returns the error of an item of SubmitBatch; nil if the status is OK.
func ErrorFromStatus(refusal *rpcstatus.Status) *Error {
	if refusal.GetCode() == int32(codes.OK) {
		return nil
	}
	return errorFromStatus(status.FromProto(refusal))
}

// UnsuccessfulError is why a task has no result: it failed, was aborted, expired, or has not ended.
type UnsuccessfulError struct {
	// Task is the task as it was answered.
	Task *taskgatev1.Task
}

// Error names the task, its state, and its error or the reason of its abort.
func (e *UnsuccessfulError) Error() string {
	state := taskgatev1.TaskState_name[int32(e.Task.GetState())]
	text := fmt.Sprintf("task %s (%s) is %s", e.Task.GetId(), e.Task.GetTaskType(), state)
	if failure := e.Task.GetError(); failure != nil {
		return fmt.Sprintf("%s: %s: %s", text, failure.GetType(), failure.GetMessage())
	}
	if reason := e.Task.GetAbort().GetReason(); reason != "" {
		return text + ": " + reason
	}
	return text
}

// asError makes an [*Error] of gRPC's errors and leaves others, such as io.EOF, alone.
func asError(err error) error {
	if refusal, ok := status.FromError(err); ok && refusal.Code() != codes.OK {
		return errorFromStatus(refusal)
	}
	return err
}

func isTooManyCalls(err error) bool {
	var failed *Error
	return errors.As(asError(err), &failed) && failed.Reason == ReasonTooManyCalls
}

func retryDelay(err error) time.Duration {
	var failed *Error
	if errors.As(asError(err), &failed) {
		return failed.RetryDelay
	}
	return 0
}

func errorFromStatus(refusal *status.Status) *Error {
	found := &Error{Code: refusal.Code(), Message: refusal.Message(), status: refusal}
	for _, detail := range refusal.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			found.Reason, found.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			for _, wrong := range detail.GetFieldViolations() {
				violation := Violation{wrong.GetField(), wrong.GetDescription()}
				found.Violations = append(found.Violations, violation)
			}
		case *errdetails.RetryInfo:
			found.RetryDelay = detail.GetRetryDelay().AsDuration()
		}
	}
	return found
}
