"""What an administrator does with a home: backup, encryption, retention, proof of its log, roles, database servers."""
