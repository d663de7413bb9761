/** A month at a glance: what each day has cost, as bars, and as a table. */
import * as React from 'react';
import type { Day, Spend } from '../api/types';
import { dayText } from '../format';
import { useHubyard } from '../hubyard';

const DAY_MS = 86_400_000;
/** The height of the drawing, in its own units; a day is one unit wide. */
const HIGH = 100;
const LOWEST = 3;

export function DayChart(props: {
  readonly spend: Spend;
}): React.JSX.Element | null {
  const { trans } = useHubyard();
  const { days, since, until } = props.spend;
  const dearest = dearestOf(days);
  if (dearest === null) {
    return null;
  }
  const first = dayText(since);
  const last = new Date(Date.parse(until) - DAY_MS).toISOString();
  return (
    <figure className="hy-Chart" data-testid="hy-days">
      <figcaption>
        <span>{trans.__('Each day')}</span>
        <span>
          {trans.__('at most %1, %2', dearest.cost.text, dayText(dearest.day))}
        </span>
      </figcaption>
      <DayBars spend={props.spend} dearest={dearest} />
      <div className="hy-Chart-axis" aria-hidden>
        <span>{first}</span>
        <span>{dayText(last)}</span>
      </div>
      <DayTable days={days} />
    </figure>
  );
}

function DayBars(props: {
  readonly spend: Spend;
  readonly dearest: Day;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const id = React.useId();
  const { dearest, spend } = props;
  const { days, since, until } = spend;
  const slots = Math.round((Date.parse(until) - Date.parse(since)) / DAY_MS);
  const says = trans.__(
    'Bars from %1 to %2; the dearest day is %3 with %4. The table below has every day.',
    dayText(since),
    dayText(days.at(-1)!.day),
    dayText(dearest.day),
    dearest.cost.text
  );
  return (
    <svg
      role="img"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-says`}
      viewBox={`0 0 ${slots} ${HIGH}`}
      preserveAspectRatio="none"
    >
      <title id={`${id}-title`}>{trans.__('Cost of each day')}</title>
      <desc id={`${id}-says`}>{says}</desc>
      {days.map(({ day, cost }, index) => {
        const high = (cost.micros / dearest.cost.micros) * HIGH;
        const drawn = cost.micros > 0 ? Math.max(high, LOWEST) : 0;
        return (
          <g key={day}>
            <title>{`${dayText(day)}: ${cost.text}`}</title>
            <rect className="hy-Chart-slot" x={index} width={1} height={HIGH} />
            <rect
              className="hy-Chart-bar"
              x={index + 0.1}
              y={HIGH - drawn}
              width={0.8}
              height={drawn}
            />
          </g>
        );
      })}
    </svg>
  );
}

function DayTable(props: { readonly days: readonly Day[] }): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <details className="hy-Detail">
      <summary>{trans.__('As a table')}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Day')}</th>
            <th scope="col">{trans.__('Cost')}</th>
          </tr>
        </thead>
        <tbody>
          {props.days.map(({ day, cost }) => (
            <tr key={day}>
              <th scope="row">{dayText(day)}</th>
              <td>{cost.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** null: no day has cost anything. */
function dearestOf(days: readonly Day[]): Day | null {
  return days.reduce<Day | null>(
    (best, day) => (day.cost.micros > (best?.cost.micros ?? 0) ? day : best),
    null
  );
}
