/** How durations, moments and numbers are written for people. Money comes as text. */

const DAY_S = 86_400;
const MONTHS_S = 300 * DAY_S;
const HOUR_S = 3_600;
const MINUTE_S = 60;

const UNITS = [
  ['day', DAY_S],
  ['hour', HOUR_S],
  ['minute', MINUTE_S],
  ['second', 1]
] as const;

type Unit = (typeof UNITS)[number][0];

function amount(count: number, unit: Unit): string {
  return new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit,
    unitDisplay: 'narrow'
  }).format(count);
}

/** The two largest units of a duration: `8h`, `1d 6h`, `42s`. */
export function durationText(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) {
      parts.push(amount(count, unit));
    } else if (parts.length > 0) {
      break;
    }
    if (parts.length === 2) {
      break;
    }
  }
  return parts.join(' ') || amount(0, 'second');
}

/** Without the seconds, above a minute. */
export function toTheMinute(seconds: number): number {
  return seconds > MINUTE_S ? seconds - (seconds % MINUTE_S) : seconds;
}

/** Whole seconds between two moments; until now where there is no second one. */
export function secondsBetween(
  start: string,
  end: string | null | undefined,
  now = Date.now()
): number {
  const until = end == null ? now : Date.parse(end);
  return Math.max(0, Math.floor((until - Date.parse(start)) / 1000));
}

/** A moment as people say it: `3 min. ago`, later than a day the date. */
export function momentText(moment: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(moment) - now) / 1000);
  const distance = Math.abs(seconds);
  if (distance >= DAY_S) {
    return new Intl.DateTimeFormat(undefined, {
      day: 'numeric',
      month: 'short',
      ...(distance >= MONTHS_S ? { year: 'numeric' } : {})
    }).format(new Date(moment));
  }
  const relative = new Intl.RelativeTimeFormat(undefined, {
    numeric: 'auto',
    style: 'short'
  });
  const [unit, size] =
    UNITS.find(([, each]) => distance >= each) ?? UNITS[UNITS.length - 1]!;
  return relative.format(Math.trunc(seconds / size), unit);
}

const DUE: Intl.DateTimeFormatOptions = {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short'
};

/** A moment in full, in the browser's zone. */
export function fullMoment(moment: string): string {
  const options: Intl.DateTimeFormatOptions = { ...DUE, year: 'numeric' };
  return new Intl.DateTimeFormat(undefined, options).format(new Date(moment));
}

/** A due time, in the zone of its schedule. */
export function dueText(moment: string, timeZone: string): string {
  const options: Intl.DateTimeFormatOptions = { ...DUE, year: 'numeric' };
  return inZone(options, timeZone).format(new Date(moment));
}

/** A zone that the platform knows and this browser does not is shown in the own one. */
function inZone(
  options: Intl.DateTimeFormatOptions,
  timeZone: string
): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(undefined, { ...options, timeZone });
  } catch {
    return new Intl.DateTimeFormat(undefined, options);
  }
}

/** A day of the platform's, which counts them in UTC: `12 Nov`. */
export function dayText(day: string): string {
  return new Intl.DateTimeFormat(undefined, {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC'
  }).format(new Date(day));
}

/** A day of a calendar: `Tue, 24 Nov`. */
export function weekdayText(day: string): string {
  return new Intl.DateTimeFormat(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC'
  }).format(new Date(day));
}

/** From one day of a calendar to another: `23 – 29 Nov 2026`. */
export function daysText(first: string, last: string): string {
  return new Intl.DateTimeFormat(undefined, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC'
  }).formatRange(new Date(first), new Date(last));
}

/** A time of day, or from one to another. */
export function timesText(first: string, last: string): string {
  return new Intl.DateTimeFormat(undefined, { timeStyle: 'short' }).formatRange(
    new Date(first),
    new Date(last)
  );
}

/** When something ends: the time of day, with the date where it is not soon. */
export function untilText(moment: string, now = Date.now()): string {
  const soon = Math.abs(Date.parse(moment) - now) < (DAY_S / 2) * 1000;
  return soon
    ? new Intl.DateTimeFormat(undefined, { timeStyle: 'short' }).format(
        new Date(moment)
      )
    : fullMoment(moment);
}

/** The time of day, to the second. */
export function clockText(milliseconds: number): string {
  return new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }).format(
    milliseconds
  );
}

/** A metric, to four significant digits. JSON brings NaN and infinities as text. */
export function numberText(value: number | string): string {
  return new Intl.NumberFormat(undefined, {
    maximumSignificantDigits: 4
  }).format(Number(value));
}

const SMALLEST = ['KiB', 2 ** 10] as const;
const SIZES = [['GiB', 2 ** 30], ['MiB', 2 ** 20], SMALLEST] as const;

/** Cores in use, to a hundredth. */
export function coresText(cores: number): string {
  return new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 }).format(
    cores
  );
}

/** Memory and disk: `512 MiB`, `1.5 GiB`. */
export function sizeText(bytes: number): string {
  const [sign, scale] = SIZES.find(([, each]) => bytes >= each) ?? SMALLEST;
  const amount = new Intl.NumberFormat(undefined, {
    maximumSignificantDigits: 3
  });
  return `${amount.format(bytes / scale)} ${sign}`;
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The last part of a path, without its extension. */
export function stem(path: string): string {
  return fileName(path).replace(/\.[^.]+$/, '');
}
