/** The guides as text: what a link between them means, and what a page is called. */

const GUIDE = /^[\w-]+\.md(#.*)?$/;

/** Whether a link leads to another page of the guides. */
export function isGuide(url: string): boolean {
  return GUIDE.test(url);
}

/** The anchor of a heading, as links in the guides name it: as GitHub does. */
export function slug(heading: string): string {
  return heading
    .replace(/¶$/, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** The first heading of a page. */
export function titleOf(markdown: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1] ?? '';
}
