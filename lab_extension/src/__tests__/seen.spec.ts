import { isPageSeen, onPageSeen, whilePageSeen } from '../seen';
import { Page } from './page';

test('what is done while a page is seen ends when it is hidden', () => {
  const page = Page.open();
  const end = jest.fn();
  const start = jest.fn(() => end);
  whilePageSeen(start);
  expect(start).toHaveBeenCalledTimes(1);
  page.turn(true);
  page.turn(true);
  expect(end).toHaveBeenCalledTimes(1);
  expect(isPageSeen()).toBe(false);
  page.turn(false);
  expect(start).toHaveBeenCalledTimes(2);
});

test('a page that opens in the background begins when it is seen', () => {
  const page = Page.open();
  page.hidden = true;
  const start = jest.fn(() => () => undefined);
  whilePageSeen(start);
  expect(start).not.toHaveBeenCalled();
  page.turn(false);
  expect(start).toHaveBeenCalledTimes(1);
});

test('who does not want to be told any more is not', () => {
  const page = Page.open();
  const listener = jest.fn();
  onPageSeen(listener)();
  page.turn(true);
  expect(listener).not.toHaveBeenCalled();
});
