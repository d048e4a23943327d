/**
 * A scenario of the kill harness: one operation on shared memory, run in a child process that is killed, or stopped and
 * continued, at each of its kill points in turn, and the invariants that the test process then checks.
 *
 * `prepare` and `operation` run in the child, everything else in the parent. They share nothing but the folder, the name
 * and what the structure itself holds.
 */
export interface Scenario<State = unknown, Prepared = unknown> {
  readonly name: string;
  /** Parent, before the child: makes what the operation needs. Keep what the checks need in the state. */
  setup(place: Place): State | Promise<State>;
  /** Child: opens what a process has open when the operation begins. Has no kill points. */
  prepare(place: Place): Prepared | Promise<Prepared>;
  /** Child: the operation. What it returns is given to {@link afterStop}; an error is given as its code or message. */
  operation(prepared: Prepared): unknown;
  /** Parent, after the child was killed at `killed.step`, or after it came to the end (`killed` undefined). Throws when an invariant is broken. */
  afterKill(state: State, place: Place, killed: KillPoint | undefined): void | Promise<void>;
  /** Parent, while the child is stopped (SIGSTOP): lets others run. */
  whileStopped?(state: State, place: Place, stopped: KillPoint): void | Promise<void>;
  /** Parent, after the stopped child was continued and has finished with `outcome`. */
  afterStop?(state: State, place: Place, outcome: Outcome, stopped: KillPoint): void | Promise<void>;
  /** Parent, always at the end of a run: closes what the state has open. */
  teardown(state: State): void;
}

/** Where a run takes place: a folder of its own, with nothing else in it. */
export interface Place {
  readonly directory: string;
  readonly name: string;
}

/** One kill point of an operation. */
export interface KillPoint {
  /** 1 for the first. */
  readonly step: number;
  /** What the code calls it, for example `before store 64`. */
  readonly label: string;
}

/** How an operation ended in a child that was not killed. */
export interface Outcome {
  readonly steps: readonly string[];
  readonly result?: unknown;
  /** Code of a `ShmError`, else the message. */
  readonly error?: string;
  /** Whether it needs the event loop on its way. */
  readonly isAsync?: boolean;
  /** How many of its steps come before it does. */
  readonly atOnce?: number;
}

/** What the parent tells the child to do, as one line of JSON: it answers with an {@link Outcome}. */
export interface Command {
  /** Name of a scenario, or of an actor. */
  readonly scenario: string;
  readonly place: Place;
  /** The kill point at which the child stops itself (SIGSTOP); undefined lets it run to its end. */
  readonly stopAt?: number | undefined;
  /** In a thread, which serves for the next command too if that is for the same scenario, and ends else. */
  readonly inThread?: boolean;
}

/** What the parent tells the child to die of: it answers with a {@link Fate} for each run, and kills itself (SIGKILL). */
export interface Death {
  /** Name of a scenario. */
  readonly scenario: string;
  /** Runs that die together, each in a place of its own and at a kill point of its own. */
  readonly dieAt: readonly Run[];
  /** Each in a thread of its own, as has to be at a step for which an operation needs the event loop; otherwise one inside the other. */
  readonly inThreads: boolean;
}

/** One run of a scenario. */
export interface Run {
  readonly place: Place;
  /** The kill point that it is to come to. */
  readonly step: number;
}

/** Where a run stood when its process was killed. */
export interface Fate {
  /** The kill point; undefined when the operation was over before, as when the other side need not be woken. */
  readonly label?: string | undefined;
  /** What the operation failed with, if it did. */
  readonly error?: string | undefined;
}
