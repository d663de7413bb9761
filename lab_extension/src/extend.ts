/** More time for this workspace, at a price that is shown before. */
import type { Workload } from './api/types';
import { confirm } from './dialogs/confirm';
import { extensionText } from './ending';
import { untilText } from './format';
import type { IHubyard } from './hubyard';
import { fail, follow } from './toast';

type Extension = NonNullable<Workload['extension']>;

/** Give it more time, and show how that goes. The price was shown on the button. */
export function extend(
  { client, polls, trans }: IHubyard,
  { entry_id }: Workload,
  { seconds }: Extension
): void {
  const job = client.extend(entry_id, seconds).finally(() => {
    void polls.workspace.refresh();
    void polls.spend.refresh();
  });
  follow(job, {
    pending: trans.__('Extending this workspace…'),
    success: ({ deadline }) =>
      trans.__('This workspace now ends at %1.', untilText(deadline))
  });
}

/** Ask whether it shall have more time, naming the price; say why where it cannot. */
export async function askToExtend(hubyard: IHubyard): Promise<void> {
  const { polls, trans } = hubyard;
  await polls.workspace.refresh();
  const { data, error } = polls.workspace.state;
  const extension = data?.extension ?? null;
  const refusal = error ?? extension?.refusal ?? null;
  if (data === null || extension === null || refusal !== null) {
    fail(refusal ?? trans.__('This workspace has ended.'));
    return;
  }
  const yes = await confirm(hubyard, {
    title: trans.__('Extend this workspace?'),
    text: trans.__(
      'It runs on %1 at %2 an hour until %3.',
      data.compute,
      data.price.text,
      untilText(data.deadline)
    ),
    confirm: extensionText(trans, extension)
  });
  if (yes) {
    extend(hubyard, data, extension);
  }
}
