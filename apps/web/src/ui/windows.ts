/**
 * What is opened now and then: windows in front of the page, and the past. A part of the page that is fetched behind what it
 * takes to talk.
 */
export { DeedDialog } from './dialogs/deed-dialog.js';
export { SettingsDialog } from './dialogs/settings-dialog.js';
export { PastView } from './timeline/past-view.js';
