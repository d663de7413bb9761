import { Poll, staleSince } from '../api/poll';

const EVERY = 5_000;

function asked<T>(answers: (() => Promise<T>)[]) {
  const ask = jest.fn(() => (answers.shift() ?? answers.at(-1)!)());
  return ask;
}

const settle = () => jest.advanceTimersByTimeAsync(0);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('asks nothing while nobody watches', async () => {
  const ask = jest.fn(() => Promise.resolve(1));
  const poll = new Poll(ask, () => EVERY);
  poll.subscribe(() => undefined);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(ask).not.toHaveBeenCalled();
});

test('asks at once when watched, then at its pace, and stops at the end', async () => {
  const ask = jest.fn(() => Promise.resolve(1));
  const poll = new Poll(ask, () => EVERY);
  const end = poll.watch();
  await settle();
  expect(ask).toHaveBeenCalledTimes(1);
  await jest.advanceTimersByTimeAsync(2 * EVERY);
  expect(ask).toHaveBeenCalledTimes(3);
  end();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(ask).toHaveBeenCalledTimes(3);
});

test('an answer that comes after the last watcher left starts nothing', async () => {
  const ask = jest.fn(
    () => new Promise<number>(resolve => setTimeout(resolve, 100, 1))
  );
  const poll = new Poll(ask, () => EVERY);
  poll.watch()();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(ask).toHaveBeenCalledTimes(1);
});

test('the pace follows the answer', async () => {
  const ask = jest.fn(() => Promise.resolve('starting'));
  const poll = new Poll(ask, data => (data === 'starting' ? 1_000 : EVERY));
  poll.watch();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(ask).toHaveBeenCalledTimes(4);
});

test('a watcher may wish for less, another for more', async () => {
  const ask = jest.fn(() => Promise.resolve(1));
  const poll = new Poll(ask, () => EVERY);
  poll.watch(60_000);
  await jest.advanceTimersByTimeAsync(30_000);
  expect(ask).toHaveBeenCalledTimes(1);
  const end = poll.watch();
  await jest.advanceTimersByTimeAsync(EVERY);
  expect(ask).toHaveBeenCalledTimes(3);
  end();
  await jest.advanceTimersByTimeAsync(30_000);
  expect(ask).toHaveBeenCalledTimes(3);
});

test('what a watcher wishes may follow the answer', async () => {
  const answers = [3_000, 2_000, 1_000, 0, 0];
  const ask = jest.fn(() => Promise.resolve(answers.shift() ?? 0));
  const poll = new Poll(ask, () => 0);
  poll.watch(left => (left !== null && left > 1_000 ? 60_000 : 15_000));
  await jest.advanceTimersByTimeAsync(120_000);
  expect(ask).toHaveBeenCalledTimes(3);
  await jest.advanceTimersByTimeAsync(30_000);
  expect(ask).toHaveBeenCalledTimes(5);
});

test('the last good answer outlives an error, with the time it was given', async () => {
  jest.setSystemTime(1_000);
  const ask = asked<number[]>([
    () => Promise.resolve([1]),
    () => Promise.reject(new Error('The platform does not answer.')),
    () => Promise.resolve([2])
  ]);
  const poll = new Poll(ask, () => EVERY);
  poll.watch();
  await settle();
  await jest.advanceTimersByTimeAsync(EVERY);
  expect(poll.state).toEqual({
    data: [1],
    error: 'The platform does not answer.',
    at: 1_000,
    loading: false
  });
  await jest.advanceTimersByTimeAsync(EVERY);
  expect(poll.state).toMatchObject({ data: [2], error: null });
});

test('an answer that says the same keeps its identity', async () => {
  const poll = new Poll(
    () => Promise.resolve([{ id: 'a' }]),
    () => EVERY
  );
  await poll.refresh();
  const first = poll.state.data;
  await poll.refresh();
  expect(poll.state.data).toBe(first);
});

test('an older answer never replaces a newer one', async () => {
  const slow = new Promise<string>(resolve => setTimeout(resolve, 500, 'old'));
  const ask = asked([() => slow, () => Promise.resolve('new')]);
  const poll = new Poll(ask, () => EVERY);
  const first = poll.refresh();
  await poll.refresh();
  await jest.advanceTimersByTimeAsync(500);
  await first;
  expect(poll.state.data).toBe('new');
  expect(poll.state.loading).toBe(false);
});

test('only a person who asks is shown that it loads', async () => {
  const poll = new Poll(
    () => Promise.resolve(1),
    () => EVERY
  );
  const seen: boolean[] = [];
  poll.subscribe(() => seen.push(poll.state.loading));
  poll.watch();
  await settle();
  expect(seen).toEqual([false]);
  await poll.refresh();
  expect(seen).toEqual([false, true, false]);
});

test('a pace without an end asks once', async () => {
  const ask = jest.fn(() => Promise.resolve(1));
  const poll = new Poll(ask, data => (data === null ? EVERY : Infinity));
  poll.watch();
  await jest.advanceTimersByTimeAsync(600_000);
  expect(ask).toHaveBeenCalledTimes(1);
});

test('the oldest answer that could not be renewed says since when it is stale', () => {
  const fresh = { data: 1, error: null, at: 1_000, loading: false };
  const stale = { ...fresh, error: 'No answer.', at: 3_000 };
  const never = { ...stale, data: null, at: null };
  expect(staleSince(fresh, never)).toBeNull();
  expect(staleSince(fresh, stale, { ...stale, at: 2_000 })).toBe(2_000);
});
