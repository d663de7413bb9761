/** Schedule: a notebook runs by itself, or once now, on compute of its own. */
import * as React from 'react';
import type {
  NotebookSource,
  PreviewRequest,
  RunRequest,
  SchedulePolicy
} from '../api/types';
import {
  ComputeFields,
  type IChoice,
  mayStart,
  PriceLine
} from '../components/ComputeFields';
import { NotifyField } from '../components/NotifyField';
import { ParameterFields } from '../components/ParameterFields';
import { FIRST_POLICY, PolicyFields } from '../components/PolicyFields';
import { type IPreviewIn, PreviewCard } from '../components/PreviewCard';
import { WhenFields } from '../components/WhenFields';
import { fileName } from '../format';
import { type IAnswer, useAnswer } from '../hooks';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { type Drafts, type Given, givenParameters } from '../parameters';
import { tell } from '../toast';
import { firstWhen, type IWhen, whenOf } from '../when';
import { openForm, useSubmit } from './form';
import { openHook } from './hook';
import { type ISourceProps, packNotebook, WithSource } from './source';

const TYPING_MS = 250;
const NOTHING_GIVEN = { parameters: {}, parameter_texts: {} };

export function openSchedule(hubyard: IHubyard, path: string): Promise<void> {
  const { trans } = hubyard;
  return openForm(hubyard, {
    title: trans.__('Schedule %1', fileName(path)),
    confirm: trans.__('Schedule'),
    name: 'schedule',
    focus: 'select',
    wide: true,
    body: <WithSource path={path} pack={packNotebook} form={ScheduleForm} />
  });
}

export function openRunNow(hubyard: IHubyard, path: string): Promise<void> {
  const { trans } = hubyard;
  return openForm(hubyard, {
    title: trans.__('Run %1 once', fileName(path)),
    confirm: trans.__('Run once now'),
    name: 'run-now',
    body: <WithSource path={path} pack={packNotebook} form={RunForm} />
  });
}

function ScheduleForm({
  source
}: ISourceProps<NotebookSource>): React.JSX.Element {
  const hubyard = useHubyard();
  const [draft, setDraft] = React.useState(firstWhen);
  const [policy, setPolicy] = React.useState(FIRST_POLICY);
  const [notify, setNotify] = React.useState<string[] | null>(null);
  const [choice, setChoice] = React.useState<IChoice | null>(null);
  const [drafts, setDrafts] = React.useState<Drafts>({});
  const given = givenParameters(source.parameters, drafts);
  const when = whenOf(draft);
  const preview = usePreview(source, when, choice, { ...given, notify });
  const ready = preview.data !== null && !preview.pending;
  useSubmit(
    ready && when !== null && choice !== null
      ? () => {
          const wish = { ...when, ...policy, ...choice, notify };
          return schedule(hubyard, source, wish, given);
        }
      : null
  );
  return (
    <div className="hy-Columns">
      <div>
        <WhenFields when={draft} onChange={setDraft} />
        <PolicyFields policy={policy} onChange={setPolicy} />
        <NotifyField notify={notify} onChange={setNotify} />
        <ComputeFields
          choice={choice}
          onChange={setChoice}
          wanted={source.compute}
        />
        <ParameterFields
          parameters={source.parameters}
          drafts={drafts}
          answer={preview}
          onChange={setDrafts}
        />
      </div>
      <PreviewCard answer={preview} />
    </div>
  );
}

export function usePreview(
  source: Pick<NotebookSource, 'notebook' | 'digest'>,
  when: IWhen | null,
  choice: IChoice | null,
  more: Given & Pick<PreviewRequest, 'notify'> = NOTHING_GIVEN
): IAnswer<IPreviewIn> {
  const { client } = useHubyard();
  const { notebook, digest } = source;
  const wish = when &&
    choice && { ...when, ...choice, ...more, notebook, source: digest };
  const ask = async () => ({
    preview: await client.preview(wish!),
    zone: wish!.time_zone
  });
  return useAnswer(wish && JSON.stringify(wish), ask, TYPING_MS);
}

async function schedule(
  hubyard: IHubyard,
  source: NotebookSource,
  wish: IWhen & SchedulePolicy & IChoice & { notify: string[] | null },
  given: Given
): Promise<void> {
  const { client, polls, trans, commands } = hubyard;
  const made = await client.schedule({
    source: source.digest,
    notebook: source.notebook,
    ...given,
    notify_on: ['failed'],
    ...wish
  });
  void polls.schedules.refresh();
  if (made.secret != null) {
    void openHook(hubyard, made);
  }
  tell(trans.__('%1 is scheduled: %2.', made.name, made.text), {
    label: trans.__('Show'),
    run: () => void commands.execute(CommandIDs.open, { section: 'pipelines' })
  });
}

function RunForm({ source }: ISourceProps<NotebookSource>): React.JSX.Element {
  const hubyard = useHubyard();
  const [choice, setChoice] = React.useState<IChoice | null>(null);
  const [drafts, setDrafts] = React.useState<Drafts>({});
  const given = givenParameters(source.parameters, drafts);
  const wish = choice && {
    source: source.digest,
    notebook: source.notebook,
    ...given,
    fresh: false,
    ...choice
  };
  const estimate = useAnswer(
    wish && JSON.stringify(wish),
    () => hubyard.client.previewRun(wish!),
    TYPING_MS
  );
  useSubmit(
    wish !== null && mayStart(estimate) ? () => runOnce(hubyard, wish) : null
  );
  return (
    <>
      <ParameterFields
        parameters={source.parameters}
        drafts={drafts}
        answer={estimate}
        onChange={setDrafts}
      />
      <ComputeFields
        choice={choice}
        onChange={setChoice}
        wanted={source.compute}
      />
      <PriceLine answer={estimate} />
    </>
  );
}

async function runOnce(
  { client, polls, trans, commands }: IHubyard,
  wish: RunRequest
): Promise<void> {
  const run = await client.run(wish);
  void polls.runs.refresh();
  tell(trans.__('%1 is starting.', run.name), {
    label: trans.__('Show'),
    run: () => void commands.execute(CommandIDs.open, { section: 'pipelines' })
  });
}
