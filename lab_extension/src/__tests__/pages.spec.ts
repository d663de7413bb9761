import { countText, Pages } from '../api/pages';
import { trackedPace } from '../api/polls';
import type { TrackedRun, TrackedRunPage } from '../api/types';

const SIZE = 2;

/** A platform with tracked runs, a letter each, that remembers what it was asked. */
class Tracked {
  readonly asked: (string | undefined)[] = [];
  constructor(public ids: string) {}

  readonly ask = (page?: string): Promise<TrackedRunPage> => {
    this.asked.push(page);
    const start = Number(page ?? 0);
    const end = start + SIZE;
    const runs = Array.from(
      this.ids.slice(start, end),
      id => ({ id }) as TrackedRun
    );
    const next_page = end < this.ids.length ? String(end) : null;
    return Promise.resolve({ runs, next_page });
  };
}

const idsOf = (page: TrackedRunPage) => page.runs.map(run => run.id).join('');

test('the first page comes alone, and says that there is more', async () => {
  const page = await new Pages(new Tracked('edcba').ask).read();
  expect(idsOf(page)).toBe('ed');
  expect(countText(page)).toBe('2+');
});

test('every tracked run can be reached', async () => {
  const pages = new Pages(new Tracked('edcba').ask);
  pages.further();
  expect(countText(await pages.read())).toBe('4+');
  pages.further();
  const all = await pages.read();
  expect(idsOf(all)).toBe('edcba');
  expect(countText(all)).toBe('5');
});

test('older pages are asked again only when the newest one has changed', async () => {
  const tracked = new Tracked('edcba');
  const pages = new Pages(tracked.ask);
  pages.further();
  await pages.read();
  await pages.read();
  expect(tracked.asked).toEqual([undefined, '2', undefined]);
  tracked.ids = 'fedcba';
  expect(idsOf(await pages.read())).toBe('fedc');
});

test('a tracked run that begins between two pages is no second one', async () => {
  const tracked = new Tracked('dcba');
  const pages = new Pages(async page => {
    const answer = await tracked.ask(page);
    tracked.ids = 'edcba';
    return answer;
  });
  pages.further();
  expect(idsOf(await pages.read())).toBe('dcb');
});

test('a tracked run that nobody ended is asked about at a calm pace', () => {
  const now = Date.parse('2030-05-06T12:00:00Z');
  const since = (started_at: string) =>
    trackedPace(
      {
        runs: [{ status: 'RUNNING', started_at } as TrackedRun],
        next_page: null
      },
      now
    );
  expect(since('2030-05-06T11:58:00Z')).toBe(1_000);
  expect(since('2030-05-06T11:00:00Z')).toBe(5_000);
});
