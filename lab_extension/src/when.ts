/** What wakes a schedule: a cron, or a trigger in its place. */
import type { TriggerRequest } from './api/types';
import { FIRST_CRON, ownTimeZone } from './timing';

export const WHEN_KINDS = ['cron', 'file', 'model', 'webhook'] as const;
export type WhenKind = (typeof WHEN_KINDS)[number];

/** What a person has typed; what belongs to another kind stays for when they return. */
export interface IWhenDraft {
  readonly kind: WhenKind;
  readonly cron: string;
  readonly zone: string;
  readonly file: string;
  /** `MODEL@ALIAS` */
  readonly model: string;
}

/** How it is asked for. */
export interface IWhen {
  readonly cron?: string;
  readonly time_zone: string;
  readonly on?: TriggerRequest;
}

export function firstWhen(): IWhenDraft {
  const zone = ownTimeZone();
  return { kind: 'cron', cron: FIRST_CRON, zone, file: '', model: '' };
}

/** What a draft asks for; null while something of it is missing. */
export function whenOf(draft: IWhenDraft): IWhen | null {
  const time_zone = draft.zone.trim();
  if (draft.kind === 'cron') {
    return { cron: draft.cron.trim(), time_zone };
  }
  const on = triggerOf(draft);
  return on && { on, time_zone };
}

function triggerOf(draft: IWhenDraft): TriggerRequest | null {
  const file = draft.file.trim();
  const [, model, alias] = /^(.+)@([^@]+)$/.exec(draft.model.trim()) ?? [];
  switch (draft.kind) {
    case 'file':
      return file === '' ? null : { file, webhook: false };
    case 'model':
      return model === undefined ? null : { model, alias, webhook: false };
    default:
      return { webhook: true };
  }
}
