package taskgate_test

import (
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
	if _, err := taskgate.Arguments(nil, map[string]any{"f": func() {}}); err == nil {
		t.Error("a function was taken as JSON")
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
