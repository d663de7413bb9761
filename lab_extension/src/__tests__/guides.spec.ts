import { isGuide, slug, titleOf } from '../guides';

describe('isGuide', () => {
  it.each(['tracking.md', 'compute-and-cost.md#limits', 'README.md'])(
    'takes %s',
    url => {
      expect(isGuide(url)).toBe(true);
    }
  );

  it.each([
    'https://example.org/tracking.md',
    '../README.md',
    '/etc/x.md',
    'images/lab.png',
    '#limits',
    ''
  ])('leaves %s alone', url => {
    expect(isGuide(url)).toBe(false);
  });
});

describe('slug', () => {
  it.each([
    ['Limits', 'limits'],
    ['PostgreSQL¶', 'postgresql'],
    [
      'Signing in with accounts from elsewhere',
      'signing-in-with-accounts-from-elsewhere'
    ],
    ['%%track', 'track'],
    ['Stop, start, delete', 'stop-start-delete']
  ])('of %s is %s', (heading, anchor) => {
    expect(slug(heading)).toBe(anchor);
  });
});

describe('titleOf', () => {
  it('is the first heading', () => {
    expect(titleOf('# Apps\n\n## Share\n')).toBe('Apps');
  });

  it('is empty where there is none', () => {
    expect(titleOf('text')).toBe('');
  });
});
