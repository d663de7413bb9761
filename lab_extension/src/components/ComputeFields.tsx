/** Compute and lifetime, with the price and the most that both can cost. */
import * as React from 'react';
import type { Compute, Estimate, Source } from '../api/types';
import { durationText } from '../format';
import { type IAnswer, useAnswer, usePoll } from '../hooks';
import { useHubyard } from '../hubyard';
import { lifetimesOf } from '../lifetimes';
import { Alert } from './Alert';
import { SelectField } from './Field';

/** What was chosen; null before the catalogue is there. */
export interface IChoice {
  readonly compute: string;
  readonly lifetime_s: number;
}

interface IComputeProps {
  readonly choice: IChoice | null;
  readonly onChange: (choice: IChoice) => void;
  /** What the file's project asks for, if it does. */
  readonly wanted?: string | null | undefined;
}

export function ComputeFields(props: IComputeProps): React.JSX.Element {
  const { polls } = useHubyard();
  const { data, error } = usePoll(polls.catalogue);
  const { choice, onChange, wanted } = props;
  const offered = data?.compute ?? [];
  const available = offered.filter(each => each.available);
  const first = available.find(each => each.name === wanted) ?? available[0];
  const chosen = offered.find(each => each.name === choice?.compute);
  React.useEffect(() => {
    if (chosen === undefined && first !== undefined) {
      onChange(defaultOf(first));
    }
  }, [chosen, first, onChange]);
  if (data === null && error !== null) {
    return (
      <Alert message={error} onRetry={() => void polls.catalogue.refresh()} />
    );
  }
  if (data !== null && first === undefined) {
    return <NoCompute />;
  }
  return chosen === undefined || choice === null ? (
    <p aria-busy />
  ) : (
    <Choices {...{ choice, chosen, offered, onChange }} />
  );
}

function NoCompute(): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <Alert
      message={trans.__(
        'No compute is available to you: ask an administrator.'
      )}
    />
  );
}

function defaultOf(compute: Compute): IChoice {
  return { compute: compute.name, lifetime_s: compute.default_lifetime_s };
}

function Choices(props: {
  readonly choice: IChoice;
  readonly chosen: Compute;
  readonly offered: readonly Compute[];
  readonly onChange: (choice: IChoice) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { choice, chosen, offered, onChange } = props;
  return (
    <div className="hy-Pair">
      <SelectField
        label={trans.__('Compute')}
        testId="hy-compute"
        help={chosen.description}
        value={chosen.name}
        options={offered.map(each => ({
          value: each.name,
          label: each.available
            ? trans.__('%1 · %2/h', each.name, each.price.text)
            : trans.__('%1 · not available: %2', each.name, each.reason ?? ''),
          disabled: !each.available
        }))}
        onChange={name => {
          const next = offered.find(each => each.name === name);
          if (next) {
            onChange(defaultOf(next));
          }
        }}
      />
      <SelectField
        label={trans.__('Lifetime')}
        testId="hy-lifetime"
        help={trans.__('It stops by itself after this time.')}
        value={String(choice.lifetime_s)}
        options={lifetimesOf(chosen).map(seconds => ({
          value: String(seconds),
          label: durationText(seconds)
        }))}
        onChange={seconds => {
          onChange({ ...choice, lifetime_s: Number(seconds) });
        }}
      />
    </div>
  );
}

/** The platform's estimate of a choice; a source's project may have a budget. */
export function useEstimate(
  choice: IChoice | null,
  source?: Source
): IAnswer<Estimate> {
  const { client } = useHubyard();
  const wish = choice && { ...choice, source: source?.digest ?? null };
  return useAnswer(wish && JSON.stringify(wish), () => client.estimate(wish!));
}

/** Whether what is chosen has its price, and the budget covers it. */
export function mayStart({ data, pending }: IAnswer<Estimate>): boolean {
  return data !== null && !pending && data.refusal == null;
}

/** The price, before anything is started, and what the budget says to it. */
export function PriceLine(props: {
  readonly answer: IAnswer<Estimate>;
}): React.JSX.Element {
  const { data, error, pending } = props.answer;
  if (error !== null) {
    return <Alert message={error} />;
  }
  return (
    <>
      <div
        className="hy-Price"
        aria-live="polite"
        aria-busy={pending}
        data-testid="hy-estimate"
      >
        {data === null ? <p>…</p> : <Price estimate={data} />}
      </div>
      {data?.refusal != null && <Alert message={data.refusal} />}
    </>
  );
}

function Price(props: { readonly estimate: Estimate }): React.JSX.Element {
  const { trans } = useHubyard();
  const { left, lifetime_s, notice, price, share, total } = props.estimate;
  return (
    <>
      <p>
        {trans.__(
          '%1 an hour, at most %2 for %3',
          price.text,
          total.text,
          durationText(lifetime_s)
        )}
      </p>
      {left != null && (
        <p className="hy-Price-note" data-testid="hy-estimate-budget">
          {share == null
            ? trans.__('%1 left of the budget', left.text)
            : trans.__('%1 % of %2 left of the budget', share, left.text)}
        </p>
      )}
      {notice != null && <p className="hy-Price-note">{notice}</p>}
    </>
  );
}
