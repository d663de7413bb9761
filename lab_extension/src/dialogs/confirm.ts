/** A question before something that destroys or costs: focus is on Cancel. */
import { Dialog } from '@jupyterlab/apputils';
import type { IHubyard } from '../hubyard';

interface IQuestion {
  readonly title: string;
  /** Names the object, and the price where there is one. */
  readonly text: string;
  readonly confirm: string;
  readonly destroys?: boolean;
}

/** Whether the person says yes. */
export async function confirm(
  { trans }: IHubyard,
  question: IQuestion
): Promise<boolean> {
  const button = question.destroys ? Dialog.warnButton : Dialog.okButton;
  const dialog = new Dialog({
    title: question.title,
    body: question.text,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      button({ label: question.confirm })
    ],
    defaultButton: 0
  });
  dialog.node.dataset.testid = 'hy-question';
  dialog.node
    .querySelector('button.jp-mod-accept')
    ?.setAttribute('data-testid', 'hy-confirm');
  return (await dialog.launch()).button.accept;
}
