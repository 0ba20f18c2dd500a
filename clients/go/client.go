// Package taskgate calls a taskgate server, which runs Python Celery tasks.
//
// A [Client] is gRPC's generated client with what a program needs around it: each submission gets a
// request id, so that one that is repeated makes no second task; each call has a deadline and is
// repeated until then while the server is away; errors are an [*Error] with a reason; tasks are
// waited for and followed across lost connections and restarts of the server.
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
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// Version is the version of this client. It travels in the user agent of each call.
const Version = "0.1.0"

// DefaultTimeout is how long a call may take, repetitions included, whose context has no deadline.
// A server that is restarted is away for less.
const DefaultTimeout = 30 * time.Second

// A server that vanished without a word is noticed while a call waits for it.
var keepAlive = keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}

// A restarted server is found again within two seconds.
var reconnect = grpc.ConnectParams{
	Backoff: backoff.Config{
		BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second,
	},
	MinConnectTimeout: 5 * time.Second,
}

// Options say how to reach a server. The zero value is plain text without a token, as for a server
// on the same machine.
type Options struct {
	// TLS encrypts the connection; see [TrustCA]. Nil is plain text.
	TLS *tls.Config
	// Token is sent with each call, as "authorization: Bearer …". Empty sends none. It needs TLS.
	Token string
	// PlainTextToken sends the token without TLS too, readable to everyone on the way.
	PlainTextToken bool
	// Timeout is how long a call may take whose context has no deadline: [DefaultTimeout] if 0,
	// without end if negative. The time that a Get waits for the task's end comes on top. Streams
	// have none.
	Timeout time.Duration
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
	if err != nil && options.Token != "" && options.TLS == nil && !options.PlainTextToken {
		return nil, fmt.Errorf("a token needs Options.TLS, or Options.PlainTextToken: %w", err)
	}
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
		grpc.WithUserAgent("taskgate-go/" + Version),
		grpc.WithConnectParams(reconnect),
		grpc.WithKeepaliveParams(keepAlive),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)), // results may be large
		grpc.WithUnaryInterceptor(o.call),
		grpc.WithStreamInterceptor(stream),
	}
	if o.Token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer{o.Token, !o.PlainTextToken}))
	}
	return append(options, o.Dial...)
}

type bearer struct {
	token    string
	needsTLS bool
}

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return b.needsTLS }
