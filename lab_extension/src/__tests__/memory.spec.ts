import { BrowserMemory } from '../memory';

/** What browsers keep, as far as memory looks at it. */
class Storage {
  getItem(name: string): string | null {
    return this.items.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.items.set(name, value);
  }
  readonly items = new Map<string, string>();
}

function storedIn(localStorage: unknown): void {
  Object.assign(globalThis, { localStorage });
}

test('each person of a browser has a memory of their own', () => {
  storedIn(new Storage());
  new BrowserMemory().keep('ana', { key: 80 });
  expect(new BrowserMemory().read('ana')).toEqual({ key: 80 });
  expect(new BrowserMemory().read('bo')).toEqual({});
});

test.each(['no JSON', 'null', '[1]', '{"key": "80", "more": {}}'])(
  'of %s no level is read that is none',
  text => {
    const storage = new Storage();
    storedIn(storage);
    new BrowserMemory().keep('ana', {});
    [...storage.items.keys()].forEach(name => {
      storage.setItem(name, text);
    });
    const levels = Object.values(new BrowserMemory().read('ana'));
    expect(levels.every(level => typeof level === 'number')).toBe(true);
  }
);

test('where a browser keeps nothing, the page remembers', () => {
  const refuse = () => {
    throw new Error('No room.');
  };
  storedIn({ getItem: () => null, setItem: refuse });
  const memory = new BrowserMemory();
  expect(memory.read('ana')).toEqual({});
  memory.keep('ana', { key: 95 });
  expect(memory.read('ana')).toEqual({ key: 95 });
  storedIn({ getItem: refuse, setItem: refuse });
  expect(new BrowserMemory().read('ana')).toEqual({});
});
