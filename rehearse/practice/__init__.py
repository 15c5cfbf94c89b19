"""The practice org: a local Salesforce to learn, test and demonstrate with, without a licence or a risk."""
