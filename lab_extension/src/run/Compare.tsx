/** Two runs of one file beside one another. */
import * as React from 'react';
import type { Run, RunDetail } from '../api/types';
import { Alert } from '../components/Alert';
import { StatusWord } from '../components/Badge';
import { SelectField } from '../components/Field';
import { Skeleton } from '../components/Loaded';
import { fullMoment } from '../format';
import { useAnswer } from '../hooks';
import { useHubyard } from '../hubyard';
import { runStatus, statusText } from '../status';
import { differencesOf, type Pair, stepPairs } from './comparison';
import { costText, tookText } from './words';

const NOTHING = '–';

export function Compare(props: {
  readonly run: RunDetail;
  readonly others: readonly Run[];
}): React.JSX.Element {
  const { client, trans } = useHubyard();
  const [chosen, setChosen] = React.useState('');
  const ask = () => client.runDetail(chosen);
  const { data, error } = useAnswer(chosen === '' ? null : chosen, ask);
  const there = data?.id === chosen;
  return (
    <div className="hy-Form hy-Compare" data-testid="hy-compare">
      <SelectField
        label={trans.__('Compare with')}
        testId="hy-compare-with"
        value={chosen}
        options={[
          { value: '', label: trans.__('no other run') },
          ...props.others.map(each => ({
            value: each.id,
            label: `${fullMoment(each.created_at)} · ${statusText(trans, runStatus(each.status))}`
          }))
        ]}
        onChange={setChosen}
      />
      {error !== null && <Alert message={error} />}
      {chosen !== '' && !there && error === null && <Skeleton />}
      {chosen !== '' && there && <Table one={props.run} other={data} />}
    </div>
  );
}

interface ITwo {
  readonly one: RunDetail;
  readonly other: RunDetail;
}

function Table({ one, other }: ITwo): React.JSX.Element {
  const { trans } = useHubyard();
  const label = trans.__('Two runs beside one another');
  return (
    <div className="hy-Scroll" tabIndex={0} role="region" aria-label={label}>
      <table data-testid="hy-comparison">
        <thead>
          <tr>
            <td />
            <th scope="col">{trans.__('This run')}</th>
            <th scope="col">{fullMoment(other.created_at)}</th>
          </tr>
        </thead>
        <Whole one={one} other={other} />
        <Parameters one={one} other={other} />
        <Durations one={one} other={other} />
      </table>
    </div>
  );
}

function Whole({ one, other }: ITwo): React.JSX.Element {
  const { trans } = useHubyard();
  const both = [one, other];
  return (
    <tbody>
      <Line name={trans.__('Status')}>
        {both.map(each => (
          <StatusWord key={each.id} status={runStatus(each.status)} />
        ))}
      </Line>
      <Line name={trans.__('Compute')}>{both.map(each => each.compute)}</Line>
      <Line name={trans.__('Cost')}>
        {both.map(each => costText(trans, each))}
      </Line>
      <Line name={trans.__('Duration')}>
        {took([one, other].map(each => lastedRun(each)))}
      </Line>
    </tbody>
  );
}

function Parameters(two: ITwo): React.JSX.Element {
  const { trans } = useHubyard();
  const found = differencesOf(two.one, two.other);
  return (
    <tbody>
      <Title>{trans.__('Parameters that differ')}</Title>
      {found.length === 0 && (
        <tr>
          <td colSpan={3}>{trans.__('Both were given the same.')}</td>
        </tr>
      )}
      {found.map(({ name, values }) => (
        <Line key={name} name={name}>
          {values.map(value => value ?? trans.__('not given'))}
        </Line>
      ))}
    </tbody>
  );
}

function Durations(two: ITwo): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <tbody>
      <Title>{trans.__('Steps')}</Title>
      {stepPairs(two.one.steps, two.other.steps).map(({ name, seconds }) => (
        <Line key={name} name={name}>
          {took(seconds)}
        </Line>
      ))}
    </tbody>
  );
}

function lastedRun({ started_at, ended_at }: RunDetail): number | null {
  return started_at == null || ended_at == null
    ? null
    : (Date.parse(ended_at) - Date.parse(started_at)) / 1000;
}

function took(seconds: Pair<number> | (number | null)[]): (string | null)[] {
  return seconds.map(each => (each === null ? null : tookText(each)));
}

function Title(props: { readonly children: string }): React.JSX.Element {
  return (
    <tr>
      <th scope="colgroup" colSpan={3}>
        {props.children}
      </th>
    </tr>
  );
}

function Line(props: {
  readonly name: string;
  readonly children: readonly React.ReactNode[];
}): React.JSX.Element {
  return (
    <tr>
      <th scope="row">{props.name}</th>
      {props.children.map((each, index) => (
        <td key={index}>{each ?? NOTHING}</td>
      ))}
    </tr>
  );
}
