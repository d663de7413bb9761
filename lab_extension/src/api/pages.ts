/** Pages: a list that comes in pages, as far as somebody has asked for it. */
import type { TrackedRun, TrackedRunPage } from './types';

/**
 * The newest page is asked each time. The ones after it move only when it holds other
 * tracked runs; until then they stand as they were.
 */
export class Pages {
  constructor(
    private readonly ask: (page?: string) => Promise<TrackedRunPage>
  ) {}

  /** Reach one page further, from the next question on. */
  further(): void {
    this.reach += 1;
  }

  /** All pages up to there, as one. */
  readonly read = async (): Promise<TrackedRunPage> => {
    const newest = await this.ask();
    const top = newest.runs.map(run => run.id).join();
    const older = top === this.top ? [...this.older] : [];
    let last = older.at(-1) ?? newest;
    while (older.length < this.reach && last.next_page != null) {
      last = await this.ask(last.next_page);
      older.push(last);
    }
    this.top = top;
    this.older = older;
    return { runs: joined([newest, ...older]), next_page: last.next_page };
  };

  private reach = 0;
  private top = '';
  private older: readonly TrackedRunPage[] = [];
}

/** Each run once: one that began meanwhile has pushed another to the next page. */
function joined(pages: readonly TrackedRunPage[]): TrackedRun[] {
  const runs = pages.flatMap(page => page.runs);
  return [...new Map(runs.map(run => [run.id, run])).values()];
}

/** How many there are, as far as we know. */
export function countText(page: TrackedRunPage): string {
  return page.next_page == null
    ? String(page.runs.length)
    : `${page.runs.length}+`;
}
