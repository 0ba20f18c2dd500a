package taskgate

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// The server answers after this time at the latest; then it is asked again. A proxy might not wait
// much longer.
const longPoll = 20 * time.Second

// IsFinal tells whether a task in this state has ended. Nothing leaves a final state.
func IsFinal(state taskgatev1.TaskState) bool {
	switch state {
	case taskgatev1.TaskState_TASK_STATE_SUCCEEDED,
		taskgatev1.TaskState_TASK_STATE_FAILED,
		taskgatev1.TaskState_TASK_STATE_ABORTED,
		taskgatev1.TaskState_TASK_STATE_EXPIRED:
		return true
	}
	return false
}

// Wait returns a task when it is final, whatever became of it; see [Result]. It outlives lost
// connections and restarts of the server, and ends with the context's error when the context does.
// The task goes on then.
func (c *Client) Wait(ctx context.Context, id string) (*taskgatev1.Task, error) {
	for {
		task, err := c.poll(ctx, id)
		switch {
		case err == nil && IsFinal(task.GetState()):
			return task, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && !isOver(err):
			return nil, err
		}
	}
}

func (c *Client) poll(ctx context.Context, id string) (*taskgatev1.Task, error) {
	ctx, cancel := context.WithTimeout(ctx, longPoll+DefaultTimeout/2)
	defer cancel()
	response, err := c.Get(ctx, &taskgatev1.GetRequest{Id: id, Wait: durationpb.New(longPoll)})
	return response.GetTask(), err
}

// isOver tells whether a poll failed because its time was over.
func isOver(err error) bool {
	code := status.Code(err)
	return code == codes.DeadlineExceeded || code == codes.Unavailable || isTooManyCalls(err)
}
