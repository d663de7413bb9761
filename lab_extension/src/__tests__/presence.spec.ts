import { Problem } from '../api/problem';
import { Presence } from '../presence';
import { Page } from './page';

const MINUTE_MS = 60_000;

let page: Page;
const settle = () => jest.advanceTimersByTimeAsync(0);

beforeEach(() => {
  jest.useFakeTimers();
  page = Page.open();
});
afterEach(() => {
  jest.useRealTimers();
});

function listening(tell: () => Promise<void>): Presence {
  const presence = new Presence(tell);
  presence.listen(page as unknown as Document);
  return presence;
}

test('who does nothing is not told of', async () => {
  const tell = jest.fn(() => Promise.resolve());
  listening(tell);
  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect(tell).not.toHaveBeenCalled();
});

test('the first input is told at once, the others once a minute', async () => {
  const tell = jest.fn(() => Promise.resolve());
  const presence = listening(tell);
  presence.notice();
  await settle();
  expect(tell).toHaveBeenCalledTimes(1);
  for (let second = 0; second < 150; second += 1) {
    presence.notice();
    await jest.advanceTimersByTimeAsync(1_000);
  }
  expect(tell).toHaveBeenCalledTimes(3);
  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect(tell).toHaveBeenCalledTimes(4);
});

test('what a script does is no person', async () => {
  const tell = jest.fn(() => Promise.resolve());
  const presence = listening(tell);
  page.dispatchEvent(new Event('keydown'));
  await settle();
  expect(tell).not.toHaveBeenCalled();
  expect(presence.isRecent()).toBe(false);
});

test('a hidden page sends nothing until it is seen again', async () => {
  const tell = jest.fn(() => Promise.resolve());
  const presence = listening(tell);
  presence.notice();
  await settle();
  presence.notice();
  page.turn(true);
  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect(tell).toHaveBeenCalledTimes(1);
  page.turn(false);
  await settle();
  expect(tell).toHaveBeenCalledTimes(2);
});

test('a person was here for a while after the last input', async () => {
  const presence = listening(() => Promise.resolve());
  presence.notice();
  await jest.advanceTimersByTimeAsync(MINUTE_MS);
  expect(presence.isRecent()).toBe(true);
  await jest.advanceTimersByTimeAsync(MINUTE_MS);
  expect(presence.isRecent()).toBe(false);
});

test('a server without our half is not asked again', async () => {
  const tell = jest.fn(() => Promise.reject(new Problem(404, 'Missing.')));
  const presence = listening(tell);
  presence.notice();
  await settle();
  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  presence.notice();
  await settle();
  expect(tell).toHaveBeenCalledTimes(1);
});

test('a platform that is away is told the next time', async () => {
  const tell = jest.fn(() => Promise.reject(new Problem(503, 'Away.')));
  const presence = listening(tell);
  presence.notice();
  await jest.advanceTimersByTimeAsync(MINUTE_MS);
  presence.notice();
  await settle();
  expect(tell).toHaveBeenCalledTimes(2);
});
