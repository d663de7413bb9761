/** Acts on a run: stop it, or run it again from where it broke. */
import type { Run } from '../api/types';
import { CommandIDs, type IHubyard } from '../hubyard';
import { act } from '../sections/acts';

export function stop(
  hubyard: IHubyard,
  { id, name, price }: Run
): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Stop %1?', name),
      text: trans.__(
        'The run %1 ends where it is, and its %2 an hour end.',
        name,
        price.text
      ),
      confirm: trans.__('Stop'),
      destroys: true
    },
    job: () => client.stopRun(id),
    pending: trans.__('Stopping %1…', name),
    success: trans.__('%1 is stopping.', name),
    poll: polls.runs
  });
}

/** From one step on; without it, from what failed. */
export function resume(
  hubyard: IHubyard,
  run: Run,
  step: string | null = null
): Promise<void> {
  const { client, commands, polls, trans } = hubyard;
  const { id, name, compute, price, steps_total } = run;
  const price_text = trans.__('%1 an hour on %2', price.text, compute);
  const again = async () => {
    const made = await client.resumeRun(id, { step, only: false });
    await commands.execute(CommandIDs.openRun, { run: made.id, name });
  };
  return act(hubyard, {
    question: {
      title: trans.__('Run %1 again?', name),
      text:
        step !== null
          ? trans.__(
              'Step %1 of %2 runs again with all that follows it, for %3. What the other steps made is taken over.',
              step,
              name,
              price_text
            )
          : steps_total > 1
            ? trans.__(
                'The steps of %1 that have not succeeded run again with all that follows them, for %2. What the others made is taken over.',
                name,
                price_text
              )
            : trans.__('%1 runs again, for %2.', name, price_text),
      confirm: trans.__('Run again')
    },
    job: again,
    pending: trans.__('Starting %1…', name),
    success: trans.__('%1 runs again.', name),
    poll: polls.runs
  });
}
