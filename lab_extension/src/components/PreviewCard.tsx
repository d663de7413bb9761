/** What a schedule would do and cost, before it is made. */
import * as React from 'react';
import type { Preview } from '../api/types';
import { dueText } from '../format';
import type { IAnswer } from '../hooks';
import { useHubyard } from '../hubyard';
import { parameterIn } from '../parameters';
import { Alert } from './Alert';

/** A preview, and the zone that it was asked for. */
export interface IPreviewIn {
  readonly preview: Preview;
  readonly zone: string;
}

export function PreviewCard(props: {
  readonly answer: IAnswer<IPreviewIn>;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { data, error, field, pending } = props.answer;
  const isMarked = parameterIn(field) !== null;
  return (
    <aside
      className="hy-Card"
      aria-label={trans.__('Preview')}
      aria-live="polite"
      aria-busy={pending}
      data-testid="hy-preview"
    >
      {isMarked && (
        <p className="hy-Help">{trans.__('Correct the marked parameter.')}</p>
      )}
      {error !== null && !isMarked && <Alert message={error} />}
      {data === null && error === null && <p>…</p>}
      {data !== null && <PreviewText {...data} />}
    </aside>
  );
}

function PreviewText({ preview, zone }: IPreviewIn): React.JSX.Element {
  const { trans } = useHubyard();
  const { files, left, next_fires, notice, per_month, refusal } = preview;
  return (
    <>
      <p className="hy-Card-lead" data-testid="hy-preview-text">
        {next_fires.length > 0
          ? trans.__('%1 (%2)', preview.text, zone)
          : preview.text}
      </p>
      {files != null && (
        <p data-testid="hy-preview-files">
          {trans._n('%1 file is there now', '%1 files are there now', files)}
        </p>
      )}
      {next_fires.length > 0 && (
        <>
          <h3>{trans.__('Next runs')}</h3>
          <ol data-testid="hy-next-fires">
            {next_fires.map(fire => (
              <li key={fire}>
                <time dateTime={fire}>{dueText(fire, zone)}</time>
              </li>
            ))}
          </ol>
        </>
      )}
      <h3>{trans.__('Cost')}</h3>
      <dl>
        <dt>{trans.__('a run')}</dt>
        <dd data-testid="hy-per-run">{preview.per_run.text}</dd>
        {per_month != null && (
          <>
            <dt>{trans.__('a month')}</dt>
            <dd data-testid="hy-per-month">{per_month.text}</dd>
          </>
        )}
        {left != null && (
          <>
            <dt>{trans.__('left of the budget')}</dt>
            <dd data-testid="hy-preview-left">{left.text}</dd>
          </>
        )}
      </dl>
      <p className="hy-Help">{preview.basis}</p>
      {notice != null && <p className="hy-Help">{notice}</p>}
      {refusal != null && (
        <Alert
          message={refusal}
          note={trans.__(
            'So it is with a run that starts now. The schedule can be made: each run is checked when it comes due.'
          )}
        />
      )}
    </>
  );
}
