"""Gates: may this bundle be pushed?"""
