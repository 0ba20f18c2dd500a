// Package taskgate calls a taskgate server, which runs Python Celery tasks.
//
// A [Client] is gRPC's generated client and a few conveniences: it gives each submission a request
// id, so that one that is repeated makes no second task; it repeats calls that found the server
// unavailable; it waits for tasks and follows them across lost connections.
package taskgate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// A call that found the server unavailable is repeated, for about seven seconds in all.
const serviceConfig = `{"methodConfig": [{
	"name": [{"service": "taskgate.v1.TaskService"}],
	"retryPolicy": {
		"maxAttempts": 5,
		"initialBackoff": "0.2s",
		"backoffMultiplier": 3,
		"maxBackoff": "5s",
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`

// A server that vanished without a word is noticed while a call waits for it.
var keepAlive = keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}

// Options say how to reach a server. The zero value is plain text without a token, as for a server
// on the same machine.
type Options struct {
	// TLS encrypts the connection; see [TrustCA]. Nil is plain text.
	TLS *tls.Config
	// Token is sent with each call, as "authorization: Bearer …". Empty sends none. Without TLS it
	// travels readable.
	Token string
	// Dial goes to [grpc.NewClient], behind the options that the fields above become.
	Dial []grpc.DialOption
}

// Client calls one server. It is safe for use by many goroutines at once.
type Client struct {
	taskgatev1.TaskServiceClient
	connection *grpc.ClientConn
}

// NewClient returns a client of the server at target, for example "127.0.0.1:50051". It connects
// with the first call.
func NewClient(target string, options Options) (*Client, error) {
	connection, err := grpc.NewClient(target, options.dialOptions()...)
	if err != nil {
		return nil, err
	}
	return &Client{taskgatev1.NewTaskServiceClient(connection), connection}, nil
}

// Close ends the connection and all calls on it.
func (c *Client) Close() error {
	return c.connection.Close()
}

// TrustCA returns a TLS configuration that trusts the certificates in a PEM file, and no others.
func TrustCA(pemFile string) (*tls.Config, error) {
	pem, err := os.ReadFile(pemFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no PEM certificate in it", pemFile)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

func (o Options) dialOptions() []grpc.DialOption {
	transport := insecure.NewCredentials()
	if o.TLS != nil {
		transport = credentials.NewTLS(o.TLS)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithKeepaliveParams(keepAlive),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)), // results may be large
		grpc.WithChainUnaryInterceptor(setRequestIDs),
	}
	if o.Token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(o.Token)))
	}
	return append(options, o.Dial...)
}

type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }
