package taskgate

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// The server answers after this time at the latest; then it is asked again.
const longPoll = 30 * time.Second

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

// Wait returns a task when it is final. It outlives lost connections and restarts of the server; it
// ends with the context's error when the context does. The task goes on then.
func (c *Client) Wait(ctx context.Context, id string) (*taskgatev1.Task, error) {
	var pause backoff
	for {
		task, err := c.poll(ctx, id)
		if err != nil {
			if err = pause.after(ctx, err); err != nil {
				return nil, err
			}
			continue
		}
		if IsFinal(task.GetState()) {
			return task, nil
		}
		pause.reset()
	}
}

func (c *Client) poll(ctx context.Context, id string) (*taskgatev1.Task, error) {
	response, err := c.Get(ctx, &taskgatev1.GetRequest{Id: id, Wait: durationpb.New(longPoll)})
	return response.GetTask(), err
}
