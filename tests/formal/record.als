-- The life of one task: its record, its outbox row, its messages, and who holds what of it in memory.
--
-- One task is enough: what is promised of several is promised of each. A step is what happens at
-- once, a committed statement or an act of one process; anything may happen between two steps, and
-- take any time. Where the code makes a step, a comment names it; faults have no code.
-- There is no clock: SCHEDULED and RETRYING, which become QUEUED when they are due, are Queued here,
-- and EXPIRED is an Aborted that nobody asked for.
--
-- The promises follow from an invariant that holds at the beginning and that no step breaks, so they
-- hold after any number of steps; bounded is only how many workers, processes and attempts there are.

open util/ordering[Number] as numbers

sig Number {}  -- of attempts

enum State { Queued, Running, Aborting, Succeeded, Failed, Aborted }
fun active: State { Running + Aborting }
fun final: State { Succeeded + Failed + Aborted }

one sig Task {  -- in the database
  var state: lone State,  -- none before the Submit has committed
  var attempt: lone Number,
  var owner: lone Worker,  -- whose claim holds
  var outbox: lone Number
}
one sig Broker { var messages: set Number }

sig Worker {  -- a main process; what it has in memory is gone with it
  var taken: set Number,  -- messages
  var doubtful: set Number,  -- claims of which it does not know whether they were committed
  var claimed: set Number,  -- claims that no process of its pool has yet
  var ended: set Number,  -- ends to be recorded
  var killed: set Number  -- attempts whose pool process is dead
}
sig Process {  -- of a pool; a dead one is replaced
  worker: one Worker,
  var runs: lone Number,
  var returned: lone Number  -- its code has returned, and nobody was told yet
}
var sig Living in Worker {}
var sig Leased in Worker {}  -- in the database

one sig Seen {  -- what is asked about; no step depends on it
  var answered: lone Broker,  -- the Submit was answered
  var started: set Number,  -- attempts whose code began
  var twice: set Number,  -- began once more
  var cancelled: lone Broker  -- aborted before the first claim
}

pred init {
  no state and no attempt and no owner and no outbox and no messages
  no taken and no doubtful and no claimed and no ended and no killed and no runs and no returned
  Living = Worker and Leased = Worker
  no answered and no started and no twice and no cancelled
}

-- What a step leaves alone.
pred sameRecord { state' = state and attempt' = attempt and owner' = owner and outbox' = outbox }
pred sameBroker { messages' = messages }
pred sameTaken { taken' = taken and doubtful' = doubtful }
pred sameHeld { claimed' = claimed and ended' = ended and killed' = killed }
pred sameMemory { sameTaken and sameHeld }
pred sameRuns { runs' = runs and returned' = returned }
pred sameStarts { started' = started and twice' = twice }
pred samePool { sameRuns and sameStarts and Living' = Living }
pred sameLeases { Leased' = Leased }
pred sameClient { answered' = answered and cancelled' = cancelled }
pred sameWorld { samePool and sameLeases and sameClient }

-- The guard of every word about an attempt.
pred isCurrent[n: Number] { Task.state in active and Task.attempt = n }

-- The attempt ends without ending the task: the next one waits. Without a next number the model ends.
pred nextAttempt[n: Number] {
  some n.next
  state' = Task -> Queued and attempt' = Task -> n.next and no owner' and outbox' = Task -> n.next
}
pred ends[s: State] { state' = Task -> s and attempt' = attempt and owner' = owner and outbox' = outbox }

-- Server and client.
pred Submit {
  no state
  state' = Task -> Queued and attempt' = Task -> first and no owner' and outbox' = Task -> first
  sameBroker and sameMemory and sameWorld
}
pred Answer {
  some state and answered' = Seen -> Broker and cancelled' = cancelled
  sameRecord and sameBroker and sameMemory and samePool and sameLeases
}
pred RequestAbort {
  some state and Task.state in Queued + Running
  Task.state = Queued
    implies state' = Task -> Aborted and no outbox'
    else state' = Task -> Aborting and outbox' = outbox
  attempt' = attempt and owner' = owner and answered' = answered
  ((Task.state = Queued and Task.attempt = first)
    implies cancelled' = Seen -> Broker else cancelled' = cancelled)
  sameBroker and sameMemory and samePool and sameLeases
}

-- Dispatcher and sweeper: of servers and workers alike, at any time, again and again.
pred Publish {
  some outbox and messages' = messages + Broker -> Task.outbox
  sameRecord and sameMemory and sameWorld
}
pred EndLease[w: Worker] {  -- also of a living worker that is frozen or cut off
  w in Leased and Leased' = Leased - w
  sameRecord and sameBroker and sameMemory and samePool and sameClient
}
pred Rescue {
  Task.state in active and Task.owner not in Leased
  (Task.state = Running and nextAttempt[Task.attempt])
    or (Task.state = Running and ends[Failed])  -- lost too often
    or (Task.state = Aborting and ends[Aborted])
  sameBroker and sameMemory and sameWorld
}

-- A worker's main process.
pred Deliver[w: Worker, n: Number] {  -- once, or with the message left there for a second time
  w in Living and n in Broker.messages
  messages' in messages and messages in messages' + Broker -> n
  taken' = taken + w -> n and doubtful' = doubtful
  sameRecord and sameHeld and sameWorld
}
pred Claim[w: Worker, n: Number] {  -- the answer to the commit may not arrive
  w in Living and n in w.taken and w in Leased
  Task.state = Queued and Task.attempt = n
  state' = Task -> Running and owner' = Task -> w and attempt' = attempt and no outbox'
  let known = w -> n |
    (taken' = taken - known and doubtful' = doubtful - known and claimed' = claimed + known)
      or (taken' = taken and doubtful' = doubtful + known and claimed' = claimed)
  ended' = ended and killed' = killed
  sameBroker and sameWorld
}
pred RecogniseClaim[w: Worker, n: Number] {
  w in Living and n in w.taken & w.doubtful and isCurrent[n] and Task.owner = w
  taken' = taken - w -> n and doubtful' = doubtful - w -> n and claimed' = claimed + w -> n
  ended' = ended and killed' = killed
  sameRecord and sameBroker and sameWorld
}
pred Drop[w: Worker, n: Number] {  -- another's, or void
  w in Living and n in w.taken and not (Task.state = Queued and Task.attempt = n)
  not (n in w.doubtful and isCurrent[n] and Task.owner = w)
  taken' = taken - w -> n and doubtful' = doubtful - w -> n
  sameRecord and sameBroker and sameHeld and sameWorld
}
pred Hold[w: Worker, n: Number] {  -- what is paused stays in the outbox
  w in Living and n in w.taken and Task.state = Queued and Task.attempt = n
  taken' = taken - w -> n and doubtful' = doubtful - w -> n
  sameRecord and sameBroker and sameHeld and sameWorld
}
pred Start[p: Process, n: Number] {
  p.worker in Living and n in p.worker.claimed and no p.runs + p.returned
  runs' = runs + p -> n and claimed' = claimed - p.worker -> n
  started' = started + Seen -> n and twice' = twice + Seen -> (n & Seen.started)
  returned' = returned and ended' = ended and killed' = killed and Living' = Living
  sameRecord and sameBroker and sameTaken and sameLeases and sameClient
}
pred Return[p: Process] {
  some p.runs and returned' = returned + p -> p.runs and runs' = runs - p -> p.runs
  Living' = Living
  sameRecord and sameBroker and sameMemory and sameStarts and sameLeases and sameClient
}
pred GiveBack[w: Worker, n: Number] {  -- claimed and not started
  w in Living and n in w.claimed and claimed' = claimed - w -> n
  isCurrent[n]
    implies ((Task.state = Running and nextAttempt[n]) or (Task.state = Aborting and ends[Aborted]))
    else sameRecord
  ended' = ended and killed' = killed
  sameBroker and sameTaken and sameWorld
}
pred HandEnd[p: Process] {
  p.worker in Living and some p.returned
  ended' = ended + p.worker -> p.returned and returned' = returned - p -> p.returned
  runs' = runs and claimed' = claimed and killed' = killed and Living' = Living
  sameRecord and sameBroker and sameTaken and sameStarts and sameLeases and sameClient
}

-- How an attempt can be said to have ended; a void word changes nothing.
pred saysEnd[n: Number] {
  isCurrent[n]
    implies (ends[Succeeded] or ends[Failed] or (Task.state = Aborting and ends[Aborted])
             or (Task.state = Running and nextAttempt[n]))
    else sameRecord
}
pred RecordEnd[w: Worker, n: Number] {  -- again, if the answer to the commit did not arrive
  w in Living and n in w.ended and saysEnd[n]
  ended' = ended - w -> n or ended' = ended
  claimed' = claimed and killed' = killed
  sameBroker and sameTaken and sameWorld
}
pred RecordOwnEnd[p: Process] {  -- the process itself; also when its main process is dead
  some p.returned and saysEnd[p.returned]
  returned' = returned - p -> p.returned or returned' = returned
  runs' = runs and Living' = Living
  sameBroker and sameMemory and sameStarts and sameLeases and sameClient
}
pred RecordLoss[w: Worker, n: Number] {
  w in Living and n in w.killed and killed' = killed - w -> n
  isCurrent[n]
    implies ((Task.state = Running and nextAttempt[n]) or (Task.state = Running and ends[Failed])
             or (Task.state = Aborting and ends[Aborted]))
    else sameRecord
  claimed' = claimed and ended' = ended
  sameBroker and sameTaken and sameWorld
}

-- Faults.
pred LoseMessages {
  some messages and messages' in messages and messages' != messages
  sameRecord and sameMemory and sameWorld
}
pred KillProcess[p: Process] {  -- its main process notices, if it lives
  some p.runs + p.returned
  runs' = runs - p -> p.runs and returned' = returned - p -> p.returned
  killed' = killed + (p.worker & Living) -> (p.runs + p.returned)
  claimed' = claimed and ended' = ended and Living' = Living
  sameRecord and sameBroker and sameTaken and sameStarts and sameLeases and sameClient
}
pred KillWorker[w: Worker] {  -- the main process; what its pool runs may go on
  w in Living and Living' = Living - w
  let kept = Worker - w {
    taken' = kept <: taken and doubtful' = kept <: doubtful
    claimed' = kept <: claimed and ended' = kept <: ended and killed' = kept <: killed
  }
  sameRecord and sameBroker and sameRuns and sameStarts and sameLeases and sameClient
}
pred Nothing { sameRecord and sameBroker and sameMemory and sameWorld }

pred step {
  Submit or Answer or RequestAbort or Publish or Rescue or LoseMessages or Nothing
  or (some w: Worker | EndLease[w] or KillWorker[w])
  or (some w: Worker, n: Number | Deliver[w, n] or Claim[w, n] or RecogniseClaim[w, n] or Drop[w, n]
      or Hold[w, n] or GiveBack[w, n] or RecordEnd[w, n] or RecordLoss[w, n])
  or (some p: Process | Return[p] or HandEnd[p] or RecordOwnEnd[p] or KillProcess[p])
  or (some p: Process, n: Number | Start[p, n])
}

-- The invariant.
pred theRecordIsWhole {
  some state iff some attempt
  Task.state = Queued and some state implies Task.outbox = Task.attempt and no owner else no outbox
  some state and Task.state in active implies some owner
  some answered implies some state
}
pred onlyOneCanStart {
  all n: Number {
    lone (claimed + doubtful).n  -- one worker, which knows of its claim or doubts it
    no claimed.n & doubtful.n
    n in Seen.started implies no (claimed + doubtful).n
    n in Process.(runs + returned) + Worker.(ended + killed) implies n in Seen.started
    lone (runs + returned + ended + killed).n
    no runs.n & returned.n and no ended.n & killed.n
    -- Nobody is ahead of the record.
    n in Worker.(claimed + doubtful) + Seen.started implies
      (some attempt and lte[n, Task.attempt] and not (n = Task.attempt and Task.state = Queued))
  }
}
pred whoeverMayStartIsTheOwner {  -- or has lost its lease, and with it every word
  all w: Worker, n: w.(claimed + doubtful) | w not in Leased or (isCurrent[n] and Task.owner = w)
  all p: Process, n: p.runs | p.worker not in Leased or (isCurrent[n] and Task.owner = p.worker)
}
pred cancelledIsCancelled {
  some cancelled implies
    Task.state = Aborted and some state and no started and no claimed and no doubtful
}
pred invariant {
  no twice and theRecordIsWhole and onlyOneCanStart
  whoeverMayStartIsTheOwner and cancelledIsCancelled
}
assert HoldsAtFirst { init implies invariant }
assert NoStepBreaksIt { (invariant and step) implies after invariant }

-- What is promised.
assert NoAttemptRunsTwice { invariant implies no twice }
assert FinalStatesNeverChange {
  all s: final | (invariant and step and Task.state = s and some state) implies after Task.state = s
}
assert NoAnsweredSubmitIsLost {  -- somebody's turn it is always
  (invariant and some answered) implies
    (Task.state in final
     or (Task.state = Queued and Task.outbox = Task.attempt)  -- Publish
     or (Task.state in active and some owner))  -- its worker, or Rescue once the lease has ended
}
assert TwoRunsOnlyAfterALease {
  invariant implies all disj p, q: Process | (some p.runs and some q.runs) implies
    (p.worker not in Leased or q.worker not in Leased)
}
assert AbortedBeforeAClaimNeverStarts { (invariant and some cancelled) implies no started }

check HoldsAtFirst for 3 but 4 Process, 4 Number, 1 steps
check NoStepBreaksIt for 3 but 4 Process, 4 Number, 2 steps
check NoAttemptRunsTwice for 3 but 4 Process, 4 Number, 1 steps
check FinalStatesNeverChange for 3 but 4 Process, 4 Number, 2 steps
check NoAnsweredSubmitIsLost for 3 but 4 Process, 4 Number, 1 steps
check TwoRunsOnlyAfterALease for 3 but 4 Process, 4 Number, 1 steps
check AbortedBeforeAClaimNeverStarts for 3 but 4 Process, 4 Number, 1 steps

-- That it can happen at all: a model in which nothing happens would keep every promise.
run GivenBackThenDone { init and always step and eventually (Task.state = Succeeded and Task.attempt = last) }
  for 3 but 1 Worker, 1 Process, exactly 2 Number, 1..12 steps
run TwoRuns { init and always step and eventually (some disj p, q: Process | some p.runs and some q.runs) }
  for 3 but exactly 2 Worker, exactly 2 Process, exactly 2 Number, 1..13 steps
