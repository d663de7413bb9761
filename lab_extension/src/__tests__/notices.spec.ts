import type { Notice, Notices } from '../api/types';
import { bellText, dueNotices, isCrowd, noticeText } from '../notices';
import { plain } from './plain';

function notice(minute: number, change: Partial<Notice> = {}): Notice {
  return {
    id: `n${minute}`,
    why: 'failed',
    run_id: 'r',
    schedule_id: null,
    name: 'nightly',
    message: 'Cell 3 failed: ValueError: 7',
    link: 'http://hub/',
    created_at: `2026-11-24T02:0${minute}:00Z`,
    seen_at: null,
    ...change
  };
}

function told(...notices: Notice[]): Notices {
  return { owner: 'ana', unseen: notices.length, notices };
}

test('each notice is due once, the oldest first', () => {
  const first = dueNotices(told(notice(2), notice(1)), 0);
  expect(first.due.map(each => each.id)).toEqual(['n1', 'n2']);
  const again = dueNotices(told(notice(2), notice(1)), first.until);
  expect(again).toEqual({ due: [], until: first.until });
  const more = dueNotices(told(notice(3), notice(2)), first.until);
  expect(more.due.map(each => each.id)).toEqual(['n3']);
});

test('what was seen elsewhere is not due', () => {
  const seen = notice(1, { seen_at: '2026-11-24T03:00:00Z' });
  expect(dueNotices(told(seen), 0).due).toEqual([]);
});

test('many at once are a crowd', () => {
  const four = [1, 2, 3, 4].map(minute => notice(minute));
  expect(isCrowd(four)).toBe(true);
  expect(isCrowd(four.slice(1))).toBe(false);
});

test.each([
  ['failed', 'nightly: failed. Cell 3 failed: ValueError: 7'],
  ['recovered', 'nightly: well again. Cell 3 failed: ValueError: 7'],
  ['late', 'nightly: late. Cell 3 failed: ValueError: 7'],
  ['disk', 'nightly: nearly full. Cell 3 failed: ValueError: 7']
] as const)('%s is said in words', (why, text) => {
  expect(noticeText(plain, notice(1, { why }))).toBe(text);
});

test('a toast holds the whole of a long message, or says that it is cut', () => {
  const text = noticeText(plain, notice(1, { message: 'x'.repeat(300) }));
  expect(text).toHaveLength(140);
  expect(text.endsWith('…')).toBe(true);
});

test('the bell counts', () => {
  expect([0, 1, 2].map(count => bellText(plain, count))).toEqual([
    'No new notices',
    '1 new notice',
    '2 new notices'
  ]);
});
