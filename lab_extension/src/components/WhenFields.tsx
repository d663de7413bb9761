/** What wakes a schedule: a cron, or a trigger in its place. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { usePoll } from '../hooks';
import { useHubyard } from '../hubyard';
import { type IWhenDraft, WHEN_KINDS, type WhenKind } from '../when';
import { SelectField, TextField } from './Field';
import { TimingFields } from './TimingFields';

interface IProps {
  readonly when: IWhenDraft;
  readonly onChange: (when: IWhenDraft) => void;
}

export function WhenFields({ when, onChange }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <>
      <SelectField
        label={trans.__('Run it')}
        testId="hy-when"
        value={when.kind}
        options={WHEN_KINDS.map(kind => ({
          value: kind,
          label: kindText(trans, kind)
        }))}
        onChange={kind => {
          onChange({ ...when, kind: kind as WhenKind });
        }}
      />
      <KindFields when={when} onChange={onChange} />
    </>
  );
}

function KindFields({ when, onChange }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  switch (when.kind) {
    case 'cron':
      return (
        <TimingFields
          cron={when.cron}
          zone={when.zone}
          onCron={cron => {
            onChange({ ...when, cron });
          }}
          onZone={zone => {
            onChange({ ...when, zone });
          }}
        />
      );
    case 'file':
      return (
        <TextField
          label={trans.__('File')}
          testId="hy-on-file"
          code
          value={when.file}
          onChange={file => {
            onChange({ ...when, file });
          }}
          placeholder="data/*.csv"
          maxLength={512}
          help={trans.__(
            'A path from your home on; with * and ? for several; a folder for all that is in it.'
          )}
        />
      );
    case 'model':
      return <ModelField when={when} onChange={onChange} />;
    case 'webhook':
      return (
        <p className="hy-Help">
          {trans.__(
            'Whoever has its secret starts a run. The secret is shown once it is made, and never again.'
          )}
        </p>
      );
  }
}

function ModelField({ when, onChange }: IProps): React.JSX.Element {
  const { polls, trans } = useHubyard();
  const models = usePoll(polls.models).data ?? [];
  const known = models.flatMap(model =>
    model.versions.flatMap(version =>
      version.aliases.map(alias => `${model.name}@${alias}`)
    )
  );
  return (
    <TextField
      label={trans.__('Model and alias')}
      testId="hy-on-model"
      code
      value={when.model}
      onChange={model => {
        onChange({ ...when, model });
      }}
      options={known}
      placeholder="flights@champion"
      maxLength={351}
    />
  );
}

function kindText(trans: TranslationBundle, kind: WhenKind): string {
  switch (kind) {
    case 'cron':
      return trans.__('At set times');
    case 'file':
      return trans.__('When a file changes');
    case 'model':
      return trans.__('When a model’s alias moves');
    case 'webhook':
      return trans.__('When a webhook is called');
  }
}
