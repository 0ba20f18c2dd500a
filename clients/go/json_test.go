package taskgate_test

import (
	"encoding/json"
	"errors"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

func TestArgumentsKeepLargeIntegers(t *testing.T) {
	text, err := taskgate.Arguments([]any{int64(9007199254740993), "<ü>"}, nil)
	if err != nil || text != `{"args":[9007199254740993,"<ü>"],"kwargs":{}}` {
		t.Errorf("%s, %v", text, err)
	}
	for _, wrong := range []any{map[string]any{"f": func() {}}, []int{1}, "text"} {
		if text, err := taskgate.Arguments(nil, wrong); err == nil {
			t.Errorf("%T became %s", wrong, text)
		}
	}
}

func TestKeywordArgumentsMayBeAStruct(t *testing.T) {
	type keywords struct {
		X    int64  `json:"x"`
		Note string `json:"note,omitempty"`
	}
	for _, given := range []any{keywords{X: 1}, &keywords{X: 1}, map[string]int{"x": 1}} {
		if text, err := taskgate.Arguments(nil, given); err != nil || text != `{"args":[],"kwargs":{"x":1}}` {
			t.Errorf("%T became %s, %v", given, text, err)
		}
	}
	if text, err := taskgate.Arguments(nil, (*keywords)(nil)); err != nil || text != `{"args":[],"kwargs":{}}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestArgumentsAndResultsAreReadAsTheyCame(t *testing.T) {
	args, _ := structpb.NewList([]any{1, 2.5, nil, "é<"})
	plain := &taskgatev1.Task{Args: args, Result: structpb.NewNumberValue(1)}
	exact := &taskgatev1.Task{
		ArgumentsJson: `{"args": [9007199254740993], "kwargs": {}}`, ResultJson: "9007199254740993",
	}
	for _, c := range []struct {
		task              *taskgatev1.Task
		arguments, result string
	}{
		{plain, `{"args":[1,2.5,null,"é<"],"kwargs":{}}`, "1"},
		{exact, exact.ArgumentsJson, exact.ResultJson},
		{&taskgatev1.Task{Result: structpb.NewNullValue()}, `{"args":[],"kwargs":{}}`, "null"},
		{&taskgatev1.Task{}, `{"args":[],"kwargs":{}}`, ""},
	} {
		arguments, err := taskgate.ArgumentsJSON(c.task)
		if err != nil || string(arguments) != c.arguments {
			t.Errorf("arguments %s, %v", arguments, err)
		}
		result, err := taskgate.ResultJSON(c.task)
		if err != nil || string(result) != c.result {
			t.Errorf("result %s, %v", result, err)
		}
	}
}

func TestAResultIsDecodedIntoItsType(t *testing.T) {
	type total struct{ Total int64 }
	ended := func(text string) *taskgatev1.Task {
		return &taskgatev1.Task{State: succeeded, ResultJson: text}
	}
	got, err := taskgate.Result[total](ended(`{"total": 9007199254740993}`))
	if err != nil || got.Total != 9007199254740993 {
		t.Errorf("%v, %v", got, err)
	}
	large, err := taskgate.Result[any](ended("123456789012345678901234567890"))
	if err != nil || large != json.Number("123456789012345678901234567890") {
		t.Errorf("%v, %v", large, err)
	}
	if got, err := taskgate.Result[int8](ended("300")); err == nil {
		t.Errorf("300 became %d", got)
	}
	if got, err := taskgate.Result[int](&taskgatev1.Task{State: succeeded}); err == nil {
		t.Errorf("no result became %d", got)
	}
}

func TestATaskWithoutAResultSaysWhy(t *testing.T) {
	failed := &taskgatev1.Task{
		Id: "1", TaskType: "demo.fail", State: taskgatev1.TaskState_TASK_STATE_FAILED,
		Error: &taskgatev1.TaskError{Type: "builtins.ValueError", Message: "no"},
	}
	_, err := taskgate.Result[int](failed)
	var unsuccessful *taskgate.UnsuccessfulError
	if !errors.As(err, &unsuccessful) || unsuccessful.Task != failed {
		t.Fatalf("%v", err)
	}
	if text := err.Error(); text != "task 1 (demo.fail) is TASK_STATE_FAILED: builtins.ValueError: no" {
		t.Error(text)
	}
}
