/** Bars: a short list of amounts, each beside a bar that is as long as it is dear. */
import * as React from 'react';

export interface IBar {
  readonly key: string;
  readonly name: string;
  /** What tells it from others of its name. */
  readonly note?: string;
  readonly amount: string;
  /** How long the bar is, from 0 to 1. */
  readonly share: number;
}

export function Bars(props: {
  readonly title: string;
  readonly bars: readonly IBar[];
  readonly testId?: string;
}): React.JSX.Element {
  const id = React.useId();
  return (
    <div className="hy-Group hy-mod-quiet" data-testid={props.testId}>
      <h3 id={id}>{props.title}</h3>
      <ul className="hy-Bars" aria-labelledby={id}>
        {props.bars.map(bar => (
          <li key={bar.key}>
            <span className="hy-Bars-name" title={bar.name}>
              {bar.name}
              {bar.note !== undefined && <small> {bar.note}</small>}
            </span>
            <span className="hy-Amount">{bar.amount}</span>
            <Bar share={bar.share} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A bar says what a text beside it says too. */
function Bar(props: { readonly share: number }): React.JSX.Element {
  return (
    <span className="hy-Bar" aria-hidden>
      <i style={{ inlineSize: percent(props.share) }} />
    </span>
  );
}

/** A share of 0 to 1 as CSS writes it. */
export function percent(share: number): string {
  return `${Math.min(Math.max(share, 0), 1) * 100}%`;
}
