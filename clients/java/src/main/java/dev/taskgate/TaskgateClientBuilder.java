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
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Says how to reach a server. */
public final class TaskgateClientBuilder {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  // A call that found the server unavailable is repeated, for about seven seconds in all.
  private static final Map<String, ?> SERVICE_CONFIG =
      Map.of(
          "methodConfig",
          List.of(
              Map.of(
                  "name",
                  List.of(Map.of("service", "taskgate.v1.TaskService")),
                  "retryPolicy",
                  Map.of(
                      "maxAttempts", 5.0,
                      "initialBackoff", "0.2s",
                      "backoffMultiplier", 3.0,
                      "maxBackoff", "5s",
                      "retryableStatusCodes", List.of("UNAVAILABLE")))));

  private final String target;
  private ChannelCredentials credentials = InsecureChannelCredentials.create();
  private String token = "";

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
    return this;
  }

  /** Sends "authorization: Bearer …" with each call. Without TLS it travels readable. */
  public TaskgateClientBuilder token(String token) {
    this.token = token;
    return this;
  }

  /** Makes the client; it connects with the first call. */
  public TaskgateClient build() {
    ManagedChannelBuilder<?> channel =
        Grpc.newChannelBuilder(target, credentials)
            .defaultServiceConfig(SERVICE_CONFIG)
            .keepAliveTime(30, TimeUnit.SECONDS) // notices a server that vanished without a word
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .maxInboundMessageSize(Integer.MAX_VALUE) // results may be large
            .intercept(new RequestIds());
    if (!token.isEmpty()) {
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
