// Command conformance runs the scenarios of tests/conformance, whose README says how.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	taskgate "github.com/taskgate/taskgate/clients/go"
)

const (
	defaultTimeout = 90 * time.Second
	pause          = 50 * time.Millisecond
)

type scenario struct {
	Name  string
	Steps []step
}

type step struct {
	Call    string
	Harness string
	Request json.RawMessage
	Save    map[string]string
	Until   map[string]string
	Timeout float64
}

type result struct {
	Response  json.RawMessage   `json:"response,omitempty"`
	Responses []json.RawMessage `json:"responses,omitzero"`
	Error     *failure          `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: conformance SCENARIOS ADDRESS RUN")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(path, address, name string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var scenarios []scenario
	if err := json.Unmarshal(text, &scenarios); err != nil {
		return err
	}
	options, err := optionsFromEnvironment()
	if err != nil {
		return err
	}
	client, err := taskgate.NewClient(address, options)
	if err != nil {
		return err
	}
	defer client.Close()
	harness := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for _, scenario := range scenarios {
		results, err := scenario.run(client, variables{"run": name}, harness)
		if err != nil {
			return fmt.Errorf("%s: %w", scenario.Name, err)
		}
		if err := output.Encode(map[string]any{"name": scenario.Name, "results": results}); err != nil {
			return err
		}
	}
	return nil
}

func optionsFromEnvironment() (taskgate.Options, error) {
	options := taskgate.Options{Token: os.Getenv("TASKGATE_TOKEN")}
	var err error
	if ca := os.Getenv("TASKGATE_TLS_CA"); ca != "" {
		options.TLS, err = taskgate.TrustCA(ca)
	}
	return options, err
}

func (s scenario) run(
	client *taskgate.Client, variables variables, harness *bufio.Reader,
) ([]result, error) {
	var results []result
	for _, step := range s.Steps {
		if step.Harness != "" {
			fmt.Println("HARNESS", step.Harness)
			if _, err := harness.ReadString('\n'); err != nil {
				return nil, err
			}
			continue
		}
		result, err := step.run(client, variables)
		if err != nil {
			return nil, err
		}
		variables.save(step.Save, result.Response)
		results = append(results, result)
	}
	return results, nil
}

func (s step) run(client *taskgate.Client, variables variables) (result, error) {
	timeout := defaultTimeout
	if s.Timeout > 0 {
		timeout = time.Duration(s.Timeout * float64(time.Second))
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request := variables.fill(s.Request)
	for {
		result, err := invoke(ctx, client, s.Call, request)
		if err != nil || result.Error != nil || matches(result.Response, s.Until) {
			return result, err
		}
		time.Sleep(pause)
	}
}
