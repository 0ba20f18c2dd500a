package taskgate

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is what a server says of a call that failed.
type Error struct {
	// Code is gRPC's status code.
	Code codes.Code
	// Message is for people.
	Message string
	// Reason is for programs, for example "TASK_NOT_FOUND"; empty if the error is not the server's
	// but the connection's.
	Reason string
	// Metadata tells more about the reason, such as the id that was not found.
	Metadata map[string]string
	// Violations are the fields that were wrong.
	Violations []Violation
	// RetryDelay is how long to wait before the call is worth repeating; 0 if it never is, or if
	// the server does not know.
	RetryDelay time.Duration
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

// AsError reads the details of a call's error. It returns nil if err is nil or not gRPC's. For an
// item of a batch, pass [status.ErrorProto] of its error.
func AsError(err error) *Error {
	state, ok := status.FromError(err)
	if !ok || state.Code() == codes.OK {
		return nil
	}
	found := &Error{Code: state.Code(), Message: state.Message()}
	for _, detail := range state.Details() {
		found.add(detail)
	}
	return found
}

func (e *Error) add(detail any) {
	switch detail := detail.(type) {
	case *errdetails.ErrorInfo:
		e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
	case *errdetails.BadRequest:
		for _, violation := range detail.GetFieldViolations() {
			e.Violations = append(
				e.Violations, Violation{violation.GetField(), violation.GetDescription()},
			)
		}
	case *errdetails.RetryInfo:
		e.RetryDelay = detail.GetRetryDelay().AsDuration()
	}
}
