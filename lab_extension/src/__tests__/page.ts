/** A page as far as our code looks at it: in front or behind. */
export class Page extends EventTarget {
  hidden = false;

  /** A fresh page, which is the document from now on. */
  static open(): Page {
    const page = new Page();
    Object.assign(globalThis, { document: page });
    return page;
  }

  turn(hidden: boolean): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}
