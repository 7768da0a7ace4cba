"""The sandbox: real servers on loopback that stand in for the clouds. An extra, never in the Lambda package."""
