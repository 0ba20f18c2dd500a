package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

type variables map[string]string

// fill puts the variables into a request. Their values are ids and tokens, which mean the same in
// JSON's strings.
func (v variables) fill(request []byte) []byte {
	text := string(request)
	for name, value := range v {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return []byte(text)
}

func (v variables) save(paths map[string]string, response []byte) {
	for name, path := range paths {
		v[name] = find(response, path)
	}
}

func matches(response []byte, wanted map[string]string) bool {
	for path, value := range wanted {
		if find(response, path) != value {
			return false
		}
	}
	return true
}

// find returns the value at a path such as "results.0.task.id"; empty if there is none.
func find(response []byte, path string) string {
	var value any
	if json.Unmarshal(response, &value) != nil {
		return ""
	}
	for _, name := range strings.Split(path, ".") {
		value = member(value, name)
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func member(value any, name string) any {
	switch value := value.(type) {
	case map[string]any:
		return value[name]
	case []any:
		if index, err := strconv.Atoi(name); err == nil && index < len(value) {
			return value[index]
		}
	}
	return nil
}
