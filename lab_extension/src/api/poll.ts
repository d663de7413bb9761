/**
 * A poll: one answer of the platform, kept fresh while somebody watches it.
 *
 * With no watcher it asks nothing. The last good answer outlives an error.
 */
export interface IPollState<T> {
  /** The last good answer. */
  readonly data: T | null;
  /** Why the newest question failed; with `data` beside it, that is stale. */
  readonly error: string | null;
  /** When `data` was answered, in milliseconds since the epoch. */
  readonly at: number | null;
  /** Whether a person waits for the answer. */
  readonly loading: boolean;
}

/** When the oldest of some answers was given that could not be renewed; null: all were. */
export function staleSince(
  ...states: readonly IPollState<unknown>[]
): number | null {
  const moments = states.flatMap(({ data, error, at }) =>
    error !== null && data !== null && at !== null ? [at] : []
  );
  return moments.length === 0 ? null : Math.min(...moments);
}

/** A poll, whatever it asks for. */
export interface IPoll<T> {
  readonly state: IPollState<T>;
  readonly subscribe: (listener: () => void) => () => void;
  readonly watch: (atLeast?: number | Pace<T>) => () => void;
  readonly refresh: () => Promise<void>;
}

/** Milliseconds until the next question, by the last good answer. */
export type Pace<T> = (data: T | null) => number;

interface IWatcher<T> {
  readonly atLeast: Pace<T>;
}

export class Poll<T> implements IPoll<T> {
  constructor(
    private readonly ask: () => Promise<T>,
    private readonly pace: Pace<T>
  ) {}

  get state(): IPollState<T> {
    return this.current;
  }

  /** Be told of every new state; returns the way to end it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /**
   * Keep the answer fresh, from now on, until the returned function is called.
   *
   * `atLeast` is the shortest pause, in milliseconds, that this watcher wishes; it may
   * follow the last good answer.
   */
  watch(atLeast: number | Pace<T> = 0): () => void {
    const wish = typeof atLeast === 'number' ? () => atLeast : atLeast;
    const watcher: IWatcher<T> = { atLeast: wish };
    this.watchers.add(watcher);
    void this.tick();
    return () => {
      this.watchers.delete(watcher);
      this.plan();
    };
  }

  /** Ask now, because a person or an action wants it. */
  async refresh(): Promise<void> {
    this.set({ loading: true });
    await this.tick();
  }

  private async tick(): Promise<void> {
    const question = ++this.newest;
    const answer = await this.ask().then(
      data => this.good(data),
      (reason: unknown) => ({ error: wordsOf(reason) })
    );
    if (question === this.newest) {
      this.set({ ...answer, loading: false });
      this.plan();
    }
  }

  /** An answer that says the same keeps its identity, so that nothing is redrawn. */
  private good(data: T): Partial<IPollState<T>> {
    const old = this.current.data;
    const same = old !== null && JSON.stringify(old) === JSON.stringify(data);
    return { data: same ? old : data, error: null, at: Date.now() };
  }

  private plan(): void {
    clearTimeout(this.timer);
    const { data } = this.current;
    const wishes = [...this.watchers].map(watcher => watcher.atLeast(data));
    const pause = Math.max(this.pace(data), Math.min(...wishes));
    if (Number.isFinite(pause)) {
      this.timer = setTimeout(() => void this.tick(), pause);
    }
  }

  private set(change: Partial<IPollState<T>>): void {
    this.current = { ...this.current, ...change };
    this.listeners.forEach(listener => {
      listener();
    });
  }

  private current: IPollState<T> = {
    data: null,
    error: null,
    at: null,
    loading: false
  };
  private readonly listeners = new Set<() => void>();
  private readonly watchers = new Set<IWatcher<T>>();
  private newest = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
}

export function wordsOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
