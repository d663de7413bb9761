/** Weeks: on which day one begins. A day is written as `2026-11-24`. */

const DAY_MS = 86_400_000;
const MONDAY = 1;

interface IWeekInfo {
  readonly firstDay: number;
}

/** What browsers know and TypeScript does not; some know neither. */
type Local = Intl.Locale & {
  readonly getWeekInfo?: () => IWeekInfo;
  readonly weekInfo?: IWeekInfo;
};

/** The day that weeks begin with where people write like this; 0 is Sunday. */
export function firstWeekday(
  locale = Intl.DateTimeFormat().resolvedOptions().locale
): number {
  const local: Local = new Intl.Locale(locale);
  const info = local.getWeekInfo?.() ?? local.weekInfo;
  return (info?.firstDay ?? MONDAY) % 7;
}

/** The first day of the week so many weeks from this one. */
export function firstOfWeek(
  offset: number,
  now = new Date(),
  first = firstWeekday()
): string {
  const back = (now.getDay() - first + 7) % 7;
  const date = now.getDate() - back + 7 * offset;
  return written(Date.UTC(now.getFullYear(), now.getMonth(), date));
}

/** The last day of the week that begins with a day. */
export function lastOfWeek(first: string): string {
  return written(Date.parse(first) + 6 * DAY_MS);
}

function written(midnight: number): string {
  return new Date(midnight).toISOString().slice(0, 10);
}
