package dev.taskgate;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Says how to reach a server. */
public final class TaskgateClientBuilder {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final int MAX_ATTEMPTS = 1_000; // until the deadline
  private static final long REPEATED_BYTES = 64L << 20;

  // What submits carries a request id, the other calls change nothing twice: all may be repeated. A
  // server that stops answers CANCELLED to calls that it had taken and not begun.
  private static final Map<String, ?> SERVICE_CONFIG =
      Map.of(
          "methodConfig",
          List.of(
              Map.of(
                  "name",
                  List.of(Map.of("service", "taskgate.v1.TaskService")),
                  "retryPolicy",
                  Map.of(
                      "maxAttempts", (double) MAX_ATTEMPTS,
                      "initialBackoff", "0.1s",
                      "backoffMultiplier", 2.0,
                      "maxBackoff", "2s",
                      "retryableStatusCodes", List.of("UNAVAILABLE", "CANCELLED")))));

  private final String target;
  private ChannelCredentials credentials = InsecureChannelCredentials.create();
  private boolean encrypted;
  private String token;
  private boolean plainTextToken;
  private Duration timeout = Duration.ofSeconds(30);

  TaskgateClientBuilder(String target) {
    this.target = target;
  }

  /** Encrypts the connection and trusts the authorities that Java trusts. */
  public TaskgateClientBuilder tls() {
    return credentials(TlsChannelCredentials.create());
  }

  /** Encrypts the connection and trusts the authorities in a PEM file, and no others. */
  public TaskgateClientBuilder tls(File authorities) throws IOException {
    return credentials(TlsChannelCredentials.newBuilder().trustManager(authorities).build());
  }

  /** Uses these credentials, with a client certificate for instance. */
  public TaskgateClientBuilder credentials(ChannelCredentials credentials) {
    this.credentials = credentials;
    this.encrypted = !(credentials instanceof InsecureChannelCredentials);
    return this;
  }

  /**
   * Sends "authorization: Bearer …" with each call. It needs TLS.
   *
   * @param token none if null or empty, as an environment variable may be
   */
  public TaskgateClientBuilder token(String token) {
    this.token = token;
    return this;
  }

  /** Sends the token without TLS too, readable to everyone on the way. */
  public TaskgateClientBuilder plainTextToken() {
    this.plainTextToken = true;
    return this;
  }

  /**
   * How long a call may take that has no deadline of its own, repetitions included. The usual 30
   * seconds are longer than a server drains and takes to start again.
   */
  public TaskgateClientBuilder timeout(Duration timeout) {
    this.timeout = timeout;
    return this;
  }

  /**
   * Makes the client; it connects with the first call.
   *
   * @throws IllegalStateException there is a token, and neither TLS nor {@link #plainTextToken}
   */
  public TaskgateClient build() {
    boolean hasToken = token != null && !token.isEmpty();
    if (hasToken && !encrypted && !plainTextToken) {
      throw new IllegalStateException("a token needs tls(), or plainTextToken()");
    }
    ManagedChannelBuilder<?> channel =
        Grpc.newChannelBuilder(target, credentials)
            .defaultServiceConfig(SERVICE_CONFIG)
            .maxRetryAttempts(MAX_ATTEMPTS)
            .perRpcBufferLimit(REPEATED_BYTES)
            .retryBufferSize(4 * REPEATED_BYTES)
            .userAgent("taskgate-java/" + TaskgateClient.VERSION)
            .keepAliveTime(30, TimeUnit.SECONDS) // notices a server that vanished without a word
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .maxInboundMessageSize(Integer.MAX_VALUE) // results may be large
            .intercept(new Repeats(), new RequestIds(), new Deadlines(timeout));
    if (hasToken) {
      channel.intercept(MetadataUtils.newAttachHeadersInterceptor(bearer()));
    }
    return new TaskgateClient(channel.build());
  }

  private Metadata bearer() {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + token);
    return headers;
  }
}
