/** The price in the status bar. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { IHubyard } from '../hubyard';
import { StatusItem } from '../statusItem';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:status',
  description: 'Compute, price, time left and spend in the status bar.',
  autoStart: true,
  requires: [IHubyard, IStatusBar],
  activate: (_: JupyterFrontEnd, hubyard: IHubyard, statusBar: IStatusBar) => {
    statusBar.registerStatusItem('@hubyard/lab:status', {
      align: 'right',
      rank: 90,
      item: new StatusItem(hubyard)
    });
  }
};
