/** Backup: what others may use. */
export { restoreBackup } from './restore.ts'
export { backupRoutes } from './routes.ts'
