/** What all plugins of Hubyard share: one client, one set of polls, one translation. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';
import * as React from 'react';
import type { Client } from './api/client';
import type { IPolls } from './api/polls';

export interface IHubyard {
  readonly client: Client;
  readonly polls: IPolls;
  readonly trans: TranslationBundle;
  readonly commands: CommandRegistry;
}

export const IHubyard = new Token<IHubyard>(
  '@hubyard/lab:IHubyard',
  'The client and the polls that all of Hubyard shares.'
);

export const HubyardContext = React.createContext<IHubyard | null>(null);

/** Whether what is drawn here can be seen now. */
export const SeenContext = React.createContext(true);

export function useHubyard(): IHubyard {
  const hubyard = React.useContext(HubyardContext);
  if (hubyard === null) {
    throw new Error('Hubyard is drawn outside its context');
  }
  return hubyard;
}

export const CommandIDs = {
  extend: 'hubyard:extend',
  help: 'hubyard:help',
  open: 'hubyard:open',
  openFailure: 'hubyard:open-failure',
  openReport: 'hubyard:open-report',
  openRun: 'hubyard:open-run',
  openWeek: 'hubyard:open-week',
  schedule: 'hubyard:schedule',
  runNow: 'hubyard:run-now',
  updateSchedule: 'hubyard:update-schedule',
  publishApp: 'hubyard:publish-app'
} as const;
