//! Submits a task, follows it, and prints its result: `taskgate-example [ADDRESS]`.
use prost::Message;
use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

pub mod google {
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}

pub mod taskgate {
    pub mod v1 {
        tonic::include_proto!("taskgate.v1");
    }
}

use google::rpc::{BadRequest, ErrorInfo, RetryInfo};
use taskgate::v1::task_service_client::TaskServiceClient;
use taskgate::v1::{GetRequest, SubmitRequest, Task, TaskState, WatchRequest, WatchedTask};

type Client = TaskServiceClient<Channel>;
type Failure = Box<dyn Error>;

const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);
const LONG_POLL_SECONDS: i64 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:50051".into());
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    let client = TaskServiceClient::new(channel).max_decoding_message_size(usize::MAX);

    let sum = submit(&client, "demo.add", r#"{"args": [1, 2], "kwargs": {}}"#).await?;
    println!("sum: {}", result(&wait(&client, &sum.id).await?));

    if let Err(status) = submit(&client, "demo.ad", "").await {
        println!("{:?} {} {:?}", status.code(), reason(&status), wrong_fields(&status));
    }

    let countdown = submit(&client, "demo.countdown", r#"{"args": [2], "kwargs": {}}"#).await?;
    println!("result: {}", result(&watch(&client, countdown).await?));
    Ok(())
}

/// Submits with a request id, so that a repeated call makes no second task.
async fn submit(client: &Client, task_type: &str, arguments: &str) -> Result<Task, Status> {
    let request = SubmitRequest {
        task_type: task_type.into(),
        arguments_json: arguments.into(),
        request_id: new_request_id(),
        ..Default::default()
    };
    let response = repeated(|| {
        let (mut client, request) = (client.clone(), timed(request.clone()));
        async move { client.submit(request).await }
    });
    response.await?.task.ok_or(Status::internal("no task"))
}

/// Asks for the task, each time with a long poll, until it is final.
async fn wait(client: &Client, id: &str) -> Result<Task, Status> {
    loop {
        let wait = Some(prost_types::Duration { seconds: LONG_POLL_SECONDS, nanos: 0 });
        let request = GetRequest { id: id.into(), wait };
        let response = repeated(|| {
            let (mut client, request) = (client.clone(), timed(request.clone()));
            async move { client.get(request).await }
        });
        match response.await?.task {
            Some(task) if is_final(task.state()) => return Ok(task),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Prints each newer version until the task is final; goes on where a connection broke.
async fn watch(client: &Client, mut task: Task) -> Result<Task, Status> {
    let mut seen_version = 0;
    while !is_final(task.state()) {
        let watched = WatchedTask { id: task.id.clone(), seen_version };
        let request = WatchRequest { tasks: vec![watched], ..Default::default() };
        let mut updates = repeated(|| {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.watch(request).await }
        })
        .await?;
        loop {
            match updates.message().await {
                Ok(Some(update)) => task = update.task.unwrap_or(task),
                Err(status) if !is_away(&status) => return Err(status),
                _ => break,
            }
            seen_version = task.version;
            println!("{} {:?}", task.state().as_str_name(), task.progress);
        }
    }
    Ok(task)
}

/// Makes a call, again and again while the server is away.
async fn repeated<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: std::future::Future<Output = Result<tonic::Response<T>, Status>>,
{
    let end = tokio::time::Instant::now() + DEADLINE;
    loop {
        let status = match call().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        let next = tokio::time::Instant::now() + PAUSE + retry_delay(&status);
        if !is_away(&status) || next >= end {
            return Err(status);
        }
        tokio::time::sleep_until(next).await
    }
}

/// A server that stops answers CANCELLED to calls that it had taken and not begun.
fn is_away(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Cancelled)
        || reason(status) == "TOO_MANY_CALLS"
}

/// How long the server asked not to be called again.
fn retry_delay(status: &Status) -> Duration {
    let info = detail::<RetryInfo>(status, "google.rpc.RetryInfo");
    info.retry_delay.and_then(|delay| delay.try_into().ok()).unwrap_or_default()
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

fn is_final(state: TaskState) -> bool {
    use TaskState::*;
    matches!(state, Succeeded | Failed | Aborted | Expired)
}

/// What the task returned, as JSON if `result` cannot carry it exactly.
fn result(task: &Task) -> String {
    use prost_types::value::Kind;
    match task.result.as_ref().and_then(|value| value.kind.as_ref()) {
        _ if !task.result_json.is_empty() => task.result_json.clone(),
        Some(Kind::NumberValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn reason(status: &Status) -> String {
    detail::<ErrorInfo>(status, "google.rpc.ErrorInfo").reason
}

fn wrong_fields(status: &Status) -> Vec<String> {
    let request = detail::<BadRequest>(status, "google.rpc.BadRequest");
    request.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// A detail of the google.rpc.Status in the trailers; an empty one if it is not there.
fn detail<T: Message + Default>(status: &Status, name: &str) -> T {
    google::rpc::Status::decode(status.details())
        .ok()
        .and_then(|status| status.details.into_iter().find(|any| any.type_url.ends_with(name)))
        .and_then(|any| T::decode(any.value.as_slice()).ok())
        .unwrap_or_default()
}

/// Differs for each call of each process; a random UUID, of the crate `uuid`, is as good.
fn new_request_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("rust-{}-{}", std::process::id(), now.as_nanos())
}
