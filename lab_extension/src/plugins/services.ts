/** The shared part: one client and one set of polls for all plugins. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Client } from '../api/client';
import { createPolls } from '../api/polls';
import { IHubyard } from '../hubyard';

export const servicesPlugin: JupyterFrontEndPlugin<IHubyard> = {
  id: '@hubyard/lab:services',
  description: 'The client of the platform that all of Hubyard shares.',
  provides: IHubyard,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('hubyard');
    const client = new Client(app.serviceManager.serverSettings, trans);
    const polls = createPolls(client);
    return { client, polls, trans, commands: app.commands };
  }
};
