/** Presence: the platform is told that a person works here, once a minute at most. */
import { Problem } from './api/problem';
import { isPageSeen, onPageSeen } from './seen';

const EVERY_MS = 60_000;
const RECENT_MS = 90_000;
const INPUTS = ['keydown', 'pointerdown'] as const;
const NOT_FOUND = 404;

export class Presence {
  constructor(private readonly tell: () => Promise<void>) {}

  /** Notice keys and clicks of this page; returns the way to end it. */
  listen(page: Document): () => void {
    const notice = (event: Event) => {
      if (event.isTrusted) {
        this.notice();
      }
    };
    const options = { capture: true, passive: true };
    INPUTS.forEach(each => {
      page.addEventListener(each, notice, options);
    });
    const end = onPageSeen(() => {
      this.plan();
    });
    this.end = () => {
      this.ended = true;
      end();
      clearTimeout(this.timer);
      INPUTS.forEach(each => {
        page.removeEventListener(each, notice, options);
      });
    };
    return this.end;
  }

  /** A person has just done something. */
  notice(): void {
    this.last = Date.now();
    this.untold = true;
    this.plan();
  }

  /** Whether a person did something a moment ago, which the platform may not know yet. */
  isRecent(now = Date.now()): boolean {
    return now - this.last < RECENT_MS;
  }

  private plan(): void {
    const waits = this.timer !== undefined || this.ended;
    if (!this.untold || waits || !isPageSeen()) {
      return;
    }
    const pause = Math.max(0, this.toldAt + EVERY_MS - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.send();
    }, pause);
  }

  private send(): void {
    // What a hidden page has noticed is told when it is seen again.
    if (!isPageSeen()) {
      return;
    }
    this.untold = false;
    this.toldAt = Date.now();
    this.tell().catch((reason: unknown) => {
      // A server without our half will not come to have one.
      if (reason instanceof Problem && reason.status === NOT_FOUND) {
        this.end();
      }
    });
  }

  private end: () => void = () => undefined;
  private last = -Infinity;
  private toldAt = -Infinity;
  private untold = false;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
}
