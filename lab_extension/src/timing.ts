/** When a schedule fires: the usual crons, and the time zones of this browser. */

export interface IPreset {
  readonly id: 'hourly' | 'daily' | 'weekdays' | 'mondays';
  readonly cron: string;
}

export const PRESETS: readonly IPreset[] = [
  { id: 'hourly', cron: '0 * * * *' },
  { id: 'daily', cron: '30 2 * * *' },
  { id: 'weekdays', cron: '30 2 * * 1-5' },
  { id: 'mondays', cron: '30 2 * * 1' }
];

export const FIRST_CRON = '30 2 * * *';
export type PresetId = IPreset['id'] | 'custom';

/** The preset that a cron is. */
export function presetOf(cron: string): PresetId {
  const written = cron.trim().split(/\s+/).join(' ');
  return PRESETS.find(preset => preset.cron === written)?.id ?? 'custom';
}

/** The zone that this browser is in. */
export function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** Every zone that this browser knows, UTC first. */
export function timeZones(): string[] {
  return [
    'UTC',
    ...Intl.supportedValuesOf('timeZone').filter(z => z !== 'UTC')
  ];
}
